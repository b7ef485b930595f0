import type { ProblemCase } from './problem-table.ts';
import { withBackends, withLayer4, withListener } from './problem-table.ts';

/** Listeners of every protocol. */
export const PROTOCOL_LISTENER_CASES: readonly ProblemCase[] = [
  {
    name: 'a protocol of listeners that is none',
    text: withListener('protocol: tcpp, service: a'),
    said: ['1:48: protocol: tcpp is not known; did you mean tcp?'],
  },
  {
    name: 'a service at an http listener',
    text: withListener('service: a'),
    said: [
      '1:38: service: only tcp and udp listeners have it; routes lead from an http listener to services; did you mean protocol: tcp?',
    ],
  },
  {
    name: 'keys of tcp and udp at an http listener',
    text: withListener('sni: { a.b: a }, maxAnswers: 1, timeouts: { hello: 1s, idle: 1s }'),
    said: [
      '1:38: sni: only tcp listeners have it; did you mean protocol: tcp? Certificates for names are those of tls',
      '1:55: maxAnswers: only udp listeners have it',
      '1:82: hello: only tcp listeners have it',
      '1:93: idle: only tcp and udp listeners have it; between requests it is keepAlive',
    ],
  },
  {
    name: 'keys of http and udp at a tcp listener',
    text: withLayer4(
      'protocol: tcp, service: a, http2: true, redirectToHttps: true, tunnel: false, limits: {}, maxAnswers: 1, timeouts: { head: 1s, hello: 1s }',
    ),
    said: [
      '1:66: http2: only http listeners have it',
      '1:79: redirectToHttps: only http listeners have it',
      '1:102: tunnel: only http listeners have it',
      '1:117: limits: only http listeners have it',
      '1:129: maxAnswers: only udp listeners have it',
      '1:156: head: only http listeners have it',
    ],
  },
  {
    name: 'tls at a tcp listener',
    text: withLayer4('protocol: tcp, service: a, tls: {}'),
    said: [
      '1:66: tls: only http listeners have it; a tcp listener passes TLS through, and sni looks at its hello',
      '1:71: tls: certificates is missing',
    ],
  },
  {
    name: 'keys of http and tcp at a udp listener',
    text: withLayer4(
      'protocol: udp, service: a, trustedProxies: [loopback], proxyProtocol: true, sni: { a: a }',
      'udp://h:1',
    ),
    said: [
      '1:66: trustedProxies: only http and tcp listeners have it',
      '1:94: proxyProtocol: only http and tcp listeners have it',
      '1:115: sni: only tcp listeners have it',
    ],
  },
  {
    name: 'a tcp listener that leads nowhere',
    text: withLayer4('protocol: tcp'),
    said: [
      '1:13: listeners[0]: service is missing (or sni): a tcp listener leads to one',
      '2:13: warning: no route or listener uses the service a',
    ],
  },
  {
    name: 'a udp listener that leads nowhere',
    text: withLayer4('protocol: udp', 'udp://h:1'),
    said: [
      '1:13: listeners[0]: service is missing: a udp listener leads to one',
      '2:13: warning: no route or listener uses the service a',
    ],
  },
  {
    name: 'a tcp listener with names alone',
    text: withLayer4('protocol: tcp, sni: { a.b: a, "*.a.b": a }'),
    said: [],
  },
  {
    name: 'services of a tcp listener that are not there',
    text: withLayer4('protocol: tcp, service: b, sni: { x.y: aa, "*.z": a }'),
    said: ['1:63: there is no service b; there is a', '1:78: there is no service aa; there is a'],
  },
  {
    name: 'a tcp listener that leads to an http service',
    text: withLayer4('protocol: tcp, service: a', 'http://h:1'),
    said: ['1:63: service: a is an http service; routes lead there'],
  },
  {
    name: 'a tcp listener that leads to a udp service',
    text: withLayer4('protocol: tcp, service: a', 'udp://h:1'),
    said: ['1:63: service: a is a udp service; a listener with protocol: udp leads there'],
  },
  {
    name: 'a route that leads to a tcp service',
    text: withBackends('[tcp://h:1]'),
    said: ['4:30: service: a is a tcp service; a listener with protocol: tcp leads there'],
  },
  {
    name: 'names for TLS that are none',
    text: withLayer4(
      'protocol: tcp, sni: { "*": a, "1.2.3.4": a, "https://a.b/": a, "A.b:443": a, "a b": a }',
    ),
    said: [
      '1:61: sni: connections that no name is for go to service; say it there',
      '1:69: sni: 1.2.3.4 is an address, and clients ask for no address by name; say it in service',
      '1:83: sni: https://a.b/ is not a host name; did you mean a.b?',
      '1:102: sni: a.b:443 is not a host name; did you mean a.b?',
      '1:116: sni: "a b" is not a host name',
    ],
  },
  {
    name: 'a name for TLS twice',
    text: withLayer4('protocol: tcp, sni: { A.b: a, a.B: a }'),
    said: ['1:69: a.B is the same name as A.b'],
  },
  {
    name: 'PROXY headers from nobody',
    text: withListener('proxyProtocol: true'),
    said: [
      '1:38: proxyProtocol: whoever is not in trustedProxies may send no PROXY header, and there is no trustedProxies; name the proxies that send it',
    ],
  },
  {
    name: 'PROXY headers at a tcp listener from nobody',
    text: withLayer4('protocol: tcp, service: a, proxyProtocol: true'),
    said: [
      '1:66: proxyProtocol: whoever is not in trustedProxies may send no PROXY header, and there is no trustedProxies; name the proxies that send it',
    ],
  },
  {
    name: 'a redirect to https from https',
    text: withListener('redirectToHttps: 8443, tls: { certificates: [{ cert: a, key: b }] }'),
    said: [
      '1:38: redirectToHttps: with tls it is https itself, and its requests would go round in circles; give it a listener without tls',
      '1:91: cert: /etc/portway/a cannot be read (ENOENT)',
    ],
  },
  {
    name: 'a redirect beside tunnels',
    text: withListener('redirectToHttps: true, tunnel: { allow: [a], auth: { b: c } }'),
    said: ['1:61: tunnel: redirectToHttps answers every request here; give tunnel a listener of its own'],
  },
  {
    name: 'a redirect to a port that is none',
    text: withListener('redirectToHttps: 0'),
    said: ['1:55: redirectToHttps: 0 is not 1 to 65535'],
  },
  {
    name: 'tls that is only switched on',
    text: withListener('tls: true'),
    said: ['1:43: tls: expected a block of keys, got true'],
  },
  {
    name: 'tls without a certificate',
    text: withListener('tls: { certificates: [] }'),
    said: ['1:59: certificates: at least one is needed'],
  },
  {
    name: 'a version of TLS that is too old, and a certificate without a key',
    text: withListener('tls: { certificates: [{ cert: a }], minVersion: 1.1 }'),
    said: ['1:60: certificates[0]: key is missing', '1:86: minVersion: 1.1 is not known; did you mean 1.2?'],
  },
  {
    name: 'hsts that says no time, and client certificates for nobody',
    text: withListener('tls: { hsts: true, clientCertificate: none }'),
    said: [
      '1:43: tls: certificates is missing',
      '1:51: hsts: expected a duration such as 365d, { maxAge, includeSubdomains, preload }, or false, got true',
      '1:76: clientCertificate: none is not one of optional, required',
    ],
  },
  {
    name: 'client certificates that nobody can have',
    text: withListener('tls: { certificates: [{ cert: a, key: b }], clientCertificate: optional }'),
    said: [
      '1:68: cert: /etc/portway/a cannot be read (ENOENT)',
      '1:82: clientCertificate: clientCa is missing, which says whose certificates are good',
    ],
  },
  {
    name: 'preload that no list takes',
    text: withListener('tls: { certificates: [{ cert: a, key: b }], hsts: { maxAge: 30d, preload: true } }'),
    said: [
      '1:68: cert: /etc/portway/a cannot be read (ENOENT)',
      '1:103: warning: preload: browsers’ lists take nobody without includeSubdomains: true and a maxAge of 365d or more',
    ],
  },
  {
    name: 'numbers of HTTP/2 out of range',
    text: withListener('http2: { maxStreams: 0, initialWindow: 1KiB, streams: 1 }'),
    said: [
      '1:59: maxStreams: 0 is not 1 to 65535',
      '1:77: initialWindow: 1KiB is too small; at least 16KiB',
      '1:83: unknown key streams in http2; it knows maxStreams, initialWindow',
    ],
  },
  {
    name: 'http2 that is neither on nor off',
    text: withListener('http2: "yes"'),
    said: ['1:45: http2: expected true, false or { maxStreams, initialWindow }, got yes'],
  },
  {
    name: 'targets of tunnels that are none',
    text: withListener(
      'tunnel: { auth: { a: b }, allow: ["*", "*:443", "http://a.b:80/", "::1", "a.b:0", "a.b:*", "a.b:9-1", "10.0.0.1/8", "a.b/8", "[::g]:1", "a_b:x", "u:p@h", "fd00::/8", "1.2.3:1"] }',
    ),
    said: [
      '1:72: allow[0]: * would be everything; list hosts, such as *.example.com, or blocks of addresses',
      '1:77: allow[1]: *:443 would be everything; list hosts, such as *.example.com, or blocks of addresses',
      '1:86: allow[2]: http://a.b:80/ is a URL, not host:port; did you mean a.b:80?',
      '1:104: allow[3]: ::1 is not host:port; did you mean [::1]?',
      '1:111: allow[4]: a.b:0: the port 0 is not 1 to 65535',
      '1:120: allow[5]: a.b:*: * is no port; did you mean a.b:1-65535?',
      '1:129: allow[6]: a.b:9-1: the ports 9-1 run backwards; did you mean 1-9?',
      '1:140: allow[7]: 10.0.0.1/8 has bits set past its prefix; did you mean 10.0.0.0/8?',
      '1:154: allow[8]: a.b/8: only an IP address has a prefix length',
      '1:163: allow[9]: [::g]:1: ::g is not an IPv6 address',
      '1:174: allow[10]: a_b:x: x is not a port or a range such as 8000-8100',
      '1:183: allow[11]: a target of tunnels holds no user or password',
      '1:192: allow[12]: fd00::/8 is not host:port; did you mean [fd00::]/8?',
      '1:204: allow[13]: 1.2.3 is not an IP address or a block such as 10.0.0.0/8',
    ],
  },
  {
    name: 'tunnels to nowhere, for nobody',
    text: withListener('tunnel: { allow: [], auth: {} }'),
    said: ['1:55: allow: at least one is needed', '1:65: auth: at least one is needed'],
  },
  {
    name: 'users of tunnels that are none',
    text: withListener('tunnel: { allow: [a], auth: { "a:b": x, c: "", d: [secret] } }'),
    said: [
      '1:68: auth: a:b is not a user name: it holds no ":" and no control characters',
      '1:81: c: is empty',
      '1:88: d: expected text, got a list',
    ],
  },
  {
    name: 'tunnels for everybody',
    text: withListener('tunnel: { allow: [a.b] }'),
    said: [
      '1:46: warning: tunnel: 0.0.0.0:80 is not loopback and there is no auth: whoever can connect gets through to what is allowed',
    ],
  },
  {
    name: 'tunnels for everybody on this machine',
    text: withListener('tunnel: { allow: [a.b] }').replace('0.0.0.0', '127.0.0.1'),
    said: [],
  },
  {
    name: 'tunnels to this machine by name alone',
    text: withListener('tunnel: { auth: { a: b }, allow: ["localhost:80", "a.localhost"] }'),
    said: [
      '1:72: warning: allow: localhost is this machine, and its address has to be listed too; add 127.0.0.1 (and [::1]) with the port',
      '1:88: warning: allow: a.localhost is this machine, and its address has to be listed too; add 127.0.0.1 (and [::1]) with the port',
    ],
  },
  {
    name: 'tunnels to this machine by name and address',
    text: withListener('tunnel: { auth: { a: b }, allow: ["localhost:80", "127.0.0.0/8:80"] }'),
    said: [],
  },
  {
    name: 'tunnels that are only switched on',
    text: withListener('tunnel: true'),
    said: ['1:46: tunnel: expected a block of keys or false, got true'],
  },
  {
    name: 'one port for udp and tcp, and for udp again',
    text: `listeners: [{ address: ":53", protocol: udp, service: a }, { address: ":53", protocol: tcp, service: b }, { address: ":53", protocol: udp, service: a }]\nservices: { a: { backends: ["udp://h:53"] }, b: { backends: ["tcp://h:53"] } }\n`,
    said: ['1:118: :53 is taken on line 1'],
  },
  {
    name: 'routes that no listener takes requests for',
    text: `${withLayer4('protocol: tcp, service: a')}routes: [{ path: /, service: a }]\n`,
    said: [
      '3:1: warning: routes: no listener is of protocol: http, so no request takes them',
      '3:30: service: a is a tcp service; a listener with protocol: tcp leads there',
    ],
  },
  {
    name: 'a redirect and nothing behind it',
    text: 'listeners: [{ address: ":1", redirectToHttps: true }]\n',
    said: [],
  },
  {
    name: 'a tcp listener without any service',
    text: 'listeners: [{ address: ":1", protocol: tcp, service: a }]\n',
    said: ['1:1: the config: services is missing'],
  },
  {
    name: 'a listener of no known kind, and nothing else',
    text: 'listeners: [{ address: ":1", protocol: x }]\n',
    said: ['1:40: protocol: x is not one of http, tcp, udp'],
  },
];
