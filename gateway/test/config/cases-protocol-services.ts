import type { ProblemCase } from './problem-table.ts';
import { REST, withBackends, withLayer4, withRoutes, withService } from './problem-table.ts';

/** Services of every protocol, and WebSockets of routes. */
export const PROTOCOL_SERVICE_CASES: readonly ProblemCase[] = [
  {
    name: 'h2 in the clear',
    text: withService('protocol: h2'),
    said: [
      '3:16: h:1: protocol h2 is HTTP/2 over TLS, so its URL starts with https://; did you mean that, or protocol: h2c?',
    ],
  },
  {
    name: 'h2c over TLS',
    text: withService('protocol: h2c').replace('http:', 'https:'),
    said: [
      '3:16: h:1: protocol h2c is HTTP/2 in the clear, so its URL starts with http://; did you mean that, or protocol: h2?',
    ],
  },
  {
    name: 'h2 in the clear by defaults',
    text: `defaults: { protocol: h2 }\n${REST}`,
    said: [
      '2:29: h:1: protocol h2 is HTTP/2 over TLS, so its URL starts with https://; did you mean that, or protocol: h2c?',
    ],
  },
  {
    name: 'what the backends speak by another name',
    text: withService('protocol: http2'),
    said: ['4:15: protocol: http2 is not known; did you mean h2?'],
  },
  {
    name: 'backends of schemes that are not known',
    text: withBackends('[grpc://h:1, tls://h:2, redis://h:3, dns://h:4, tcp://h]'),
    said: [
      '3:16: backends[0]: grpc://h:1: a backend is http, https, tcp or udp, not grpc; did you mean http://h:1?',
      '3:28: backends[1]: tls://h:2: a backend is http, https, tcp or udp, not tls; did you mean tcp://h:2?',
      '3:39: backends[2]: redis://h:3: a backend is http, https, tcp or udp, not redis; did you mean tcp://h:3?',
      '3:52: backends[3]: dns://h:4: a backend is http, https, tcp or udp, not dns; did you mean udp://h:4?',
      '3:63: backends[4]: tcp://h: the port is missing',
    ],
  },
  {
    name: 'backends of several kinds',
    text: withBackends('[http://h:1, tcp://h:2, udp://h:3]'),
    said: [
      '3:28: h:2 is tcp, and this is an http service: all its backends are of one kind',
      '3:39: h:3 is udp, and this is an http service: all its backends are of one kind',
    ],
  },
  {
    name: 'PROXY headers for http backends',
    text: withService('sendProxyProtocol: v2'),
    said: [
      '4:5: sendProxyProtocol: only connections of a tcp service start with a PROXY header; http backends get X-Forwarded-For',
    ],
  },
  {
    name: 'PROXY headers of no version',
    text: withLayer4('protocol: tcp, service: a', 'tcp://h:1', 'sendProxyProtocol: true'),
    said: ['2:62: sendProxyProtocol: expected v1, v2 or false, got true'],
  },
  {
    name: 'PROXY headers for udp backends',
    text: withLayer4('protocol: udp, service: a', 'udp://h:1', 'sendProxyProtocol: v2'),
    said: [
      '2:43: sendProxyProtocol: only connections of a tcp service start with a PROXY header; http backends get X-Forwarded-For',
    ],
  },
  {
    name: 'what a tcp service has no use for',
    text: withLayer4(
      'protocol: tcp, service: a',
      'tcp://h:1',
      'sticky: {}, protocol: h2, tls: {}, timeouts: { head: 1s, idle: 2s }',
    ),
    said: [
      '2:43: warning: sticky: has no effect in a tcp service',
      '2:55: warning: protocol: has no effect in a tcp service',
      '2:69: warning: tls: has no effect in a tcp service: TLS is passed through as it comes',
      '2:90: warning: head: has no effect in a tcp service',
      '2:100: warning: idle: has no effect in a tcp service; the listener has timeouts.idle',
    ],
  },
  {
    name: 'the same in defaults, where it is for others',
    text: `defaults: { sticky: {}, protocol: h2c, tls: {}, timeouts: { head: 1s }, health: { path: /h } }\n${withLayer4('protocol: tcp, service: a')}`,
    said: [],
  },
  {
    name: 'a tcp service that looks at the path',
    text: withLayer4('protocol: tcp, service: a', 'tcp://h:1', 'balance: hash, hash: { path: true }'),
    said: [
      '2:64: hash: a is a tcp service, which knows nothing of its clients but their address; did you mean hash: { clientIp: true }?',
    ],
  },
  {
    name: 'a tcp service that looks at the path by defaults',
    text: `defaults: { balance: hash, hash: { path: true } }\n${withLayer4('protocol: tcp, service: a')}`,
    said: [
      '1:34: hash: a is a tcp service, which knows nothing of its clients but their address; did you mean hash: { clientIp: true }?',
    ],
  },
  {
    name: 'a tcp service that looks at the address',
    text: withLayer4('protocol: tcp, service: a', 'tcp://h:1', 'balance: hash, hash: { clientIp: true }'),
    said: [],
  },
  {
    name: 'grpc probes of a tcp service',
    text: withLayer4('protocol: tcp, service: a', 'tcp://h:1', 'health: { type: grpc }'),
    said: ['2:51: health: a grpc probe needs a service with protocol: h2 or h2c'],
  },
  {
    name: 'grpc probes of HTTP/1.1 backends',
    text: withService('health: { type: grpc }'),
    said: ['4:13: health: a grpc probe needs HTTP/2, and a speaks http1; add protocol: h2 or h2c'],
  },
  {
    name: 'grpc probes of HTTP/1.1 backends by defaults',
    text: `defaults: { health: { service: x } }\n${REST}`,
    said: ['1:21: health: a grpc probe needs HTTP/2, and a speaks http1; add protocol: h2 or h2c'],
  },
  {
    name: 'what a grpc probe does not ask for',
    text: withService('protocol: h2c', 'health: { type: grpc, path: /x, service: y }'),
    said: ['5:27: path: a grpc probe asks for a service; path is for type: http'],
  },
  {
    name: 'what an http probe does not ask for',
    text: withService('health: { path: /x, service: y }'),
    said: ['4:25: service: an http probe asks for a path; service is for type: grpc'],
  },
  {
    name: 'a udp backend that is the gateway',
    text: withLayer4('protocol: udp, service: a', 'udp://127.0.0.1:1'),
    said: ['2:29: warning: 127.0.0.1:1 is this gateway itself, at 127.0.0.1:1'],
  },
  {
    name: 'WebSockets that can hardly be',
    text: `defaults: { webSocket: { ping: 10ms, idle: 0 } }\n${withRoutes('path: /, webSocket: { maxConnections: 0 }')}`,
    said: [
      '1:32: ping: 10ms is too short; at least 1s',
      '1:44: idle: 0 is too short; at least 1ms',
      '4:45: maxConnections: 0 is not 1 to 10000000',
    ],
  },
  {
    name: 'pings that come too late',
    text: withRoutes('path: /, webSocket: { ping: 10m }'),
    said: ['3:35: warning: webSocket.ping (10m) is longer than webSocket.idle (5m): it would never be sent'],
  },
  {
    name: 'conditions of gRPC for retries',
    text: withService('retry: { on: [grpc-unavailable, grpc-deadline-exeeded] }'),
    said: ['4:37: on[1]: grpc-deadline-exeeded is not known; did you mean grpc-deadline-exceeded?'],
  },
];
