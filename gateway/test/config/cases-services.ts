import type { ProblemCase } from './problem-table.ts';
import { REST, withBackends, withService } from './problem-table.ts';

/** Services and defaults. */
export const SERVICE_CASES: readonly ProblemCase[] = [
  {
    name: 'a service without backends',
    text: 'services: { a: {} }\nroutes: [{ path: /, service: a }]\n',
    said: ['1:16: a: backends is missing'],
  },
  {
    name: 'an empty list of backends',
    text: withBackends('[]'),
    said: ['3:15: backends: at least one is needed'],
  },
  {
    name: 'a service name with a space',
    text: 'services: { "a b": { backends: [http://h:1] } }\nroutes: [{ path: /, service: a b }]\n',
    said: [
      '1:13: services: "a b" is not a name: up to 63 letters, digits, "-", "_" and ".", a letter or digit first',
      '2:30: service: "a b" is not a name: up to 63 letters, digits, "-", "_" and ".", a letter or digit first',
    ],
  },
  {
    name: 'a backend without a scheme',
    text: withBackends('["127.0.0.1:3001", localhost:3002, db]'),
    said: [
      '3:16: backends[0]: 127.0.0.1:3001 is not a URL such as http://127.0.0.1:3001; did you mean http://127.0.0.1:3001?',
      '3:34: backends[1]: localhost:3002 is not a URL such as http://127.0.0.1:3001; did you mean http://localhost:3002?',
      '3:50: backends[2]: db is not a URL such as http://127.0.0.1:3001; did you mean http://db?',
    ],
  },
  {
    name: 'a backend of another scheme',
    text: withBackends('[ws://a:1, ftp://a:2]'),
    said: [
      '3:16: backends[0]: ws://a:1: a backend is http, https, tcp or udp, not ws; did you mean http://a:1?',
      '3:26: backends[1]: ftp://a:2: a backend is http, https, tcp or udp, not ftp',
    ],
  },
  {
    name: 'a backend with a path, a query, a fragment',
    text: withBackends('[http://a/b, "http://b?c", "http://c#d"]'),
    said: [
      "3:16: backends[0]: http://a/b: a backend's URL has no path; use rewrite on the route; did you mean http://a?",
      "3:28: backends[1]: http://b?c: a backend's URL has no query or fragment; did you mean http://b?",
      "3:42: backends[2]: http://c#d: a backend's URL has no query or fragment; did you mean http://c?",
    ],
  },
  {
    name: 'a backend with a password',
    text: withBackends('["http://u:hunter2@a", "http://u:hun/ter2@b", "u:hunter2@c:80"]'),
    said: [
      "3:16: backends[0]: a backend's URL holds no user or password",
      "3:38: backends[1]: a backend's URL holds no user or password",
      "3:61: backends[2]: a backend's URL holds no user or password",
    ],
  },
  {
    name: 'a backend with a port that is none',
    text: withBackends('["http://a:0", "http://a:65536", "http://a:x", "http://a:"]'),
    said: [
      '3:16: backends[0]: http://a:0: the port 0 is not 1 to 65535',
      '3:30: backends[1]: http://a:65536: the port 65536 is not 1 to 65535',
      '3:48: backends[2]: http://a:x: a:x is not host:port',
      '3:62: backends[3]: http://a:: the port "" is not 1 to 65535',
    ],
  },
  {
    name: 'a backend with a host that is none',
    text: withBackends('["http://", "http://-a", "http://127.1", "http://::1", "http://[::g]"]'),
    said: [
      '3:16: backends[0]: http://: the host is missing',
      '3:27: backends[1]: http://-a: -a is not a host name',
      '3:40: backends[2]: http://127.1: 127.1 is not an IPv4 address',
      '3:56: backends[3]: http://::1: ::1 is not host:port; did you mean http://[::1]?',
      '3:70: backends[4]: http://[::g]: ::g is not an IPv6 address',
    ],
  },
  {
    name: 'a backend that is no URL',
    text: withBackends('[1, { url: 2 }, { wieght: 1 }, [x], true]'),
    said: [
      '3:16: backends[0]: 1 is not a URL such as http://127.0.0.1:3001',
      '3:26: url: 2 is not a URL such as http://127.0.0.1:3001',
      '3:31: backends[2]: url is missing',
      '3:33: unknown key wieght in backends[2]; did you mean weight?',
      '3:46: backends[3]: expected a URL such as http://127.0.0.1:3001, or { url, weight }, got a list',
      '3:51: backends[4]: expected a URL such as http://127.0.0.1:3001, or { url, weight }, got true',
    ],
  },
  {
    name: 'a weight out of range',
    text: withBackends('[{ url: "http://a", weight: 0 }, { url: "http://b", weight: 1.5 }]'),
    said: [
      '3:43: weight: 0 is not 1 to 1000',
      '3:75: weight: expected a whole number from 1 to 1000, got 1.5',
    ],
  },
  {
    name: 'a backend twice',
    text: withBackends('\n      - http://H:80\n      - { url: "http://h" }'),
    said: ['5:16: h:80 is on line 4 already; give it a weight there instead'],
  },
  {
    name: 'a backend in two services',
    text: 'services:\n  a: { backends: [http://h:1] }\n  b: { backends: [http://h:1] }\nroutes: [{ path: /, service: a }, { path: /b, service: b }]\n',
    said: ['3:19: warning: h:1 is also in service a on line 2; each of the two counts its connections alone'],
  },
  {
    name: 'a backend that is the gateway',
    text: `listeners: [{ address: "0.0.0.0:1" }]\n${REST.replace('//h:1', '//localhost:1')}`,
    said: ['2:29: warning: localhost:1 is this gateway itself, at 0.0.0.0:1'],
  },
  {
    name: 'an unknown balance',
    text: withService('balance: roundrobin'),
    said: ['4:14: balance: roundrobin is not known; did you mean round-robin?'],
  },
  {
    name: 'a balance of another gateway',
    text: withService('balance: least_conn'),
    said: ['4:14: balance: least_conn is not known; did you mean least-pending?'],
  },
  {
    name: 'a balance like none',
    text: withService('balance: fastest'),
    said: ['4:14: balance: fastest is not one of p2c, round-robin, least-pending, random, hash'],
  },
  {
    name: 'hash without its key',
    text: withService('balance: hash'),
    said: [
      '4:14: balance: hash needs to know what to look at; add hash: { header: X-User }, or cookie, clientIp, path',
    ],
  },
  {
    name: 'a hash key without balance: hash',
    text: withService('hash: { path: true }'),
    said: ['4:5: hash: has no effect with balance: p2c; did you mean balance: hash?'],
  },
  {
    name: 'two hash keys',
    text: withService('balance: hash', 'hash: { path: true, header: x }'),
    said: ['5:11: hash: expected exactly one of header, cookie, clientIp, path'],
  },
  {
    name: 'a hash key that is only a word',
    text: withService('balance: hash', 'hash: clientIp'),
    said: [
      '5:11: hash: expected { header: NAME }, { cookie: NAME }, { clientIp: true } or { path: true }, got clientIp',
    ],
  },
  {
    name: 'sticky: true',
    text: withService('sticky: true'),
    said: ['4:13: sticky: expected a block of keys or false, got true'],
  },
  {
    name: 'a cookie name with a space and a short life',
    text: withService('sticky: { cookie: "a b", ttl: 10ms }'),
    said: ['4:23: cookie: "a b" is not a cookie name', '4:35: ttl: 10ms is too short; at least 1s'],
  },
  {
    name: 'a bare number as a duration',
    text: withService('pool: { queueTimeout: 250, maxAge: 10 }'),
    said: [
      '4:27: queueTimeout: 250 is not a duration; did you mean 250ms?',
      '4:40: maxAge: 10 is not a duration; did you mean 10s?',
    ],
  },
  {
    name: 'durations written in other ways',
    text: withService('pool: { queueTimeout: 5 sec, idleTimeout: 1m30s, maxAge: forever }'),
    said: [
      '4:27: queueTimeout: "5 sec" is not a duration; did you mean 5s?',
      '4:47: idleTimeout: 1m30s is not a duration; did you mean 90s?',
      '4:62: maxAge: forever is not a duration',
    ],
  },
  {
    name: 'no idle time at all',
    text: withService('pool: { idleTimeout: 0, queueTimeout: 0s }'),
    said: [
      '4:26: idleTimeout: 0 is too short; at least 1ms',
      '4:43: queueTimeout: 0s is too short; at least 1ms',
    ],
  },
  {
    name: 'a duration past what timers can do',
    text: withService('timeouts: { total: 25d }'),
    said: ['4:24: total: 25d is too long; at most 24d'],
  },
  {
    name: 'sizes written in other ways',
    text: withService('retry: { maxBodySize: 64k }'),
    said: ['4:27: maxBodySize: 64k is not a size; did you mean 64KiB?'],
  },
  {
    name: 'a size past its bound',
    text: withService('retry: { maxBodySize: 1GiB }'),
    said: ['4:27: maxBodySize: 1GiB is too large; at most 64MiB'],
  },
  {
    name: 'a pool that is switched off',
    text: withService('pool: false'),
    said: ['4:11: pool: expected a block of keys, got false'],
  },
  {
    name: 'a misspelled key of a pool',
    text: withService('pool: { maxConections: 1, size: 2 }'),
    said: [
      '4:13: unknown key maxConections in pool; did you mean maxConnections?',
      '4:31: unknown key size in pool; it knows maxConnections, queue, queueTimeout, idleTimeout, maxRequests, maxAge',
    ],
  },
  {
    name: 'blocks that only switch on',
    text: withService(
      'health: {}',
      'ejection: {}',
      'breaker: {}',
      'slowStart: 5s',
      'whenNoneEligible: reject',
      'retry: { on: [reset], budgetPercent: 10 }',
    ),
    said: [],
  },
  {
    name: 'blocks that are switched off',
    text: withService(
      'sticky: false',
      'health: false',
      'ejection: false',
      'breaker: false',
      'slowStart: false',
      'retry: false',
    ),
    said: [],
  },
  {
    name: 'a queue longer than the whole',
    text: withService('pool: { queueTimeout: 5s }', 'timeouts: { total: 2s }'),
    said: [
      '4:27: pool.queueTimeout (5s) is longer than timeouts.total (2s): a request would be given up while it still waits',
    ],
  },
  {
    name: 'the same across defaults, said at the service',
    text: `defaults: { pool: { queueTimeout: 5s } }\n${withService('timeouts: { total: 2s }')}`,
    said: [
      '5:24: pool.queueTimeout (5s) is longer than timeouts.total (2s): a request would be given up while it still waits',
    ],
  },
  {
    name: 'a default queue time longer than the whole, which nobody wrote',
    text: withService('timeouts: { total: 500ms }'),
    said: [],
  },
  {
    name: 'a CA file that is not there',
    text: withService('tls: { ca: ca.pem }'),
    said: [
      '4:5: warning: tls: no backend of a is https',
      '4:16: ca: /etc/portway/ca.pem cannot be read (ENOENT)',
    ],
  },
  {
    name: 'tls for backends without it',
    text: withService('tls: { serverName: a.b }'),
    said: ['4:5: warning: tls: no backend of a is https'],
  },
  {
    name: 'a key of a route in a service',
    text: withService('stripPrefix: true'),
    said: ['4:5: unknown key stripPrefix in a; it is a key of a route'],
  },
  {
    name: 'backends in defaults',
    text: `defaults: { backends: [http://h:1] }\n${REST}`,
    said: ['1:13: unknown key backends in defaults; it is a key of a service'],
  },
  {
    name: 'one cookie for two services',
    text: `defaults: { sticky: { cookie: c } }\nservices:\n  a: { backends: [http://h:1] }\n  b: { backends: [http://h:2] }\nroutes: [{ path: /, service: a }, { path: /b, service: b }]\n`,
    said: ['1:31: warning: cookie c is that of service a too: a client of both would lose its place at each'],
  },
];
