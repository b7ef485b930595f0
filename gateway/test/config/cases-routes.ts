import type { ProblemCase } from './problem-table.ts';
import { REST, withRoutes } from './problem-table.ts';

/** Routes. */
export const ROUTE_CASES: readonly ProblemCase[] = [
  {
    name: 'a route without path and service',
    text: 'services: { a: { backends: [http://h:1] } }\nroutes:\n  - host: a.b\n',
    said: ['3:5: routes[0]: path is missing', '3:5: routes[0]: service is missing'],
  },
  {
    name: 'a route that is no block',
    text: 'services: { a: { backends: [http://h:1] } }\nroutes:\n  - /db\n  - { path: /, service: a }\n',
    said: ['3:5: routes[0]: expected a block of keys, got /db'],
  },
  {
    name: 'a path without a slash',
    text: withRoutes('path: db'),
    said: ['3:13: path: db does not start with /; did you mean /db?'],
  },
  {
    name: 'a path with a star',
    text: withRoutes('path: /db/*'),
    said: ['3:13: path: /db/*: a path is a prefix as it is; did you mean /db?'],
  },
  {
    name: 'a path with empty segments',
    text: withRoutes('path: /a//b'),
    said: ['3:13: path: /a//b is not in its canonical spelling; did you mean /a/b?'],
  },
  {
    name: 'a path with dots',
    text: withRoutes('path: /a/../b'),
    said: ['3:13: path: /a/../b is not in its canonical spelling; did you mean /b?'],
  },
  {
    name: 'a path with a query',
    text: withRoutes('path: "/a?b=c"'),
    said: ['3:13: path: /a?b=c: a path has no query or fragment; did you mean /a?'],
  },
  {
    name: 'a path with a needless escape',
    text: withRoutes('path: /%7euser'),
    said: ['3:13: path: /%7euser is not in its canonical spelling; did you mean /~user?'],
  },
  {
    name: 'a path with a lower-case escape',
    text: withRoutes('path: /%c3%bc'),
    said: ['3:13: path: /%c3%bc is not in its canonical spelling; did you mean /%C3%BC?'],
  },
  {
    name: 'a path with a plain umlaut',
    text: withRoutes('path: /ü'),
    said: ['3:13: path: "/ü" is not in its canonical spelling; did you mean /%C3%BC?'],
  },
  {
    name: 'a path with an escaped slash',
    text: withRoutes('path: /a%2fb'),
    said: [
      '3:13: path: /a%2fb holds a \\, or an escaped / or \\, which backends read in different ways; no route can hold it',
    ],
  },
  {
    name: 'a path with a broken escape',
    text: withRoutes('path: /100%'),
    said: ['3:13: path: /100% has a % that is no escape; a literal % is %25'],
  },
  {
    name: 'a host with a port',
    text: withRoutes('path: /, host: "a.b:80"'),
    said: ['3:22: host: a.b:80: a host has no port; the listener has it; did you mean a.b?'],
  },
  {
    name: 'a host that is a URL',
    text: withRoutes('path: /, host: "https://a.b/"'),
    said: ['3:22: host: https://a.b/ is a URL, not a host; did you mean a.b?'],
  },
  {
    name: 'a host that is a star',
    text: withRoutes('path: /, host: "*"'),
    said: ['3:22: host: a route for every host has no host at all; leave it out'],
  },
  {
    name: 'a host with a star inside',
    text: withRoutes('path: /, host: a.*.b'),
    said: ['3:22: host: a.*.b is not a host name'],
  },
  {
    name: 'a host in Unicode',
    text: withRoutes('path: /, host: bücher.de'),
    said: ['3:22: host: "bücher.de" is not a host name; did you mean xn--bcher-kva.de?'],
  },
  {
    name: 'a host with a dot at its start',
    text: withRoutes('path: /, host: .a.b'),
    said: ['3:22: host: .a.b is not a host name; did you mean *.a.b?'],
  },
  {
    name: 'methods that are no list',
    text: withRoutes('path: /, methods: GET'),
    said: ['3:25: methods: expected a list, got GET; did you mean [GET]?'],
  },
  {
    name: 'a method in lower case',
    text: withRoutes('path: /, methods: [get, CONNECT]'),
    said: [
      '3:26: methods[0]: get is not a method such as GET; did you mean GET?',
      '3:31: methods[1]: CONNECT has no path, so no route can match it',
    ],
  },
  {
    name: 'no methods at all',
    text: withRoutes('path: /, methods: []'),
    said: ['3:25: methods: at least one is needed'],
  },
  {
    name: 'header conditions that are one header',
    text: withRoutes('path: /, headers: { X-A: "1", x-a: "2" }'),
    said: ['3:37: x-a is the same header as X-A'],
  },
  {
    name: 'a header condition that is no header',
    text: withRoutes('path: /, headers: { "X A": "1" }'),
    said: ['3:27: headers: "X A" is not a header name; did you mean X-A?'],
  },
  {
    name: 'stripPrefix and rewrite',
    text: withRoutes('path: /a, stripPrefix: true, rewrite: /b'),
    said: ['3:36: rewrite: stripPrefix is the same as rewrite: /; keep one of the two'],
  },
  {
    name: 'stripPrefix that is no boolean',
    text: withRoutes('path: /a, stripPrefix: "yes"'),
    said: ['3:30: stripPrefix: expected true or false, got "yes"; did you mean true?'],
  },
  {
    name: 'a rewrite that is no path',
    text: withRoutes('path: /a, rewrite: b/'),
    said: ['3:26: rewrite: b/ does not start with /; did you mean /b?'],
  },
  {
    name: 'a body size without a unit',
    text: withRoutes('path: /, maxBodySize: 10m'),
    said: ['3:29: maxBodySize: 10m is not a size; did you mean 10MiB?'],
  },
  {
    name: 'header edits that are the gateway’s',
    text: withRoutes('path: /, requestHeaders: { set: { Host: a }, remove: [connection] }'),
    said: [
      '3:41: set: Host belongs to the gateway, which writes it for each connection; a route cannot change it',
      '3:61: remove[0]: connection belongs to the gateway, which writes it for each connection; a route cannot change it',
    ],
  },
  {
    name: 'header edits of broken values',
    text: withRoutes('path: /, responseHeaders: { set: { X: "a\\r\\nb", Y: "a\\0", Z: "ü", W: " a" } }'),
    said: [
      '3:45: X: a header value cannot hold line breaks or NUL',
      '3:58: Y: a header value cannot hold line breaks or NUL',
      '3:68: Z: a header value holds only visible ASCII, spaces and tabs',
      '3:76: W: a header value neither starts nor ends with white space',
    ],
  },
  {
    name: 'a header that is set and removed',
    text: withRoutes('path: /, requestHeaders: { set: { X-A: a }, remove: [x-a] }'),
    said: ['3:60: x-a is set above; setting replaces what was there'],
  },
  {
    name: 'a header name with its colon',
    text: withRoutes('path: /, requestHeaders: { remove: ["X-A:"] }'),
    said: ['3:43: remove[0]: X-A: is not a header name; did you mean X-A?'],
  },
  {
    name: 'timeouts of a route that contradict each other',
    text: withRoutes('path: /, timeouts: { head: 10s, total: 2s }'),
    said: ['3:34: timeouts.head (10s) is longer than timeouts.total (2s): it can never run out'],
  },
  {
    name: 'an unknown service',
    text: 'services: { web: { backends: [http://h:1] } }\nroutes: [{ path: /, service: wbe }]\n',
    said: ['2:30: there is no service wbe; did you mean web?'],
  },
  {
    name: 'an unknown service like none',
    text: 'services: { web: { backends: [http://h:1] } }\nroutes: [{ path: /, service: database }]\n',
    said: ['2:30: there is no service database; there is web'],
  },
  {
    name: 'a service that no route uses',
    text: `${REST.replace(' } }', ' }, b: { backends: [http://h:2] } }')}`,
    said: ['1:44: warning: no route or listener uses the service b'],
  },
  {
    name: 'a duplicate route',
    text: withRoutes('path: /', 'path: /a', 'path: /a/'),
    said: ['5:5: this route is the same as the one on line 4'],
  },
  {
    name: 'a route whose methods another takes',
    text: withRoutes('path: /, methods: [GET, PUT]', 'path: /, methods: [PUT]'),
    said: ['4:5: this route can never be reached: the one on line 3 takes all its requests'],
  },
  {
    name: 'a route whose methods two others take',
    text: withRoutes('path: /, methods: [GET]', 'path: /, methods: [PUT]', 'path: /, methods: [PUT, GET]'),
    said: ['5:5: this route can never be reached: the ones on lines 3, 4 together take all its requests'],
  },
  {
    name: 'a route for HEAD, which GET takes along',
    text: withRoutes('path: /, methods: [GET]', 'path: /, methods: [HEAD]'),
    said: ['4:5: this route can never be reached: the one on line 3 takes all its requests'],
  },
  {
    name: 'a route whose header value another takes',
    text: withRoutes('path: /, headers: { X-A: "*" }', 'path: /, headers: { x-a: b }'),
    said: ['4:5: this route can never be reached: the one on line 3 takes all its requests'],
  },
  {
    name: 'routes that only look hidden',
    text: withRoutes(
      'path: /',
      'path: /, methods: [GET]',
      'path: /, headers: { x-a: b }',
      'path: /, host: a.b',
      'path: /a',
    ),
    said: [],
  },
  {
    name: 'nothing of hidden routes when one of them is broken',
    text: withRoutes('path: /', `path: "\${NO}"`, 'path: /, methods: [get]'),
    said: [
      `4:14: the environment variable NO is not set; set it, or give a default: \${NO:-default}`,
      '5:26: methods[0]: get is not a method such as GET; did you mean GET?',
    ],
  },
];
