import type { Static } from 'typebox';
import { Type } from 'typebox';
import { DEFAULTS } from './defaults.ts';
import { Breaker, Ejection, Health, SlowStart, WhenNoneEligible } from './schema-health.ts';
import { Retry } from './schema-retry.ts';
import { Concurrency, MaxBodySize, Timeouts, WebSocket } from './schema-shared.ts';
import { block, count, duration, orOff, text } from './schema-values.ts';

const opt = Type.Optional;

const BACKEND_URL =
  'Where the backend is: http://host:port, https://host:port, tcp://host:port or udp://host:port.';

const Backend = Type.Union(
  [
    text('backend-url', BACKEND_URL),
    block('A backend with its weight.', {
      url: text('backend-url', BACKEND_URL),
      weight: opt(
        count('Its share of the requests, beside the weights of the others.', 1, 1000, DEFAULTS.weight),
      ),
    }),
  ],
  { title: 'a URL such as http://127.0.0.1:3001, or { url, weight }' },
);

const Balance = Type.Enum(['p2c', 'round-robin', 'least-pending', 'random', 'hash'], {
  description:
    'How a backend is chosen: p2c (the better of two drawn), round-robin, least-pending, random, or hash (the same key goes to the same backend).',
  default: DEFAULTS.balance,
});

const Hash = block(
  'What balance: hash looks at. Exactly one of these.',
  {
    header: opt(text('field-name', 'The value of this request header.')),
    cookie: opt(text('cookie-name', 'The value of this cookie.')),
    clientIp: opt(Type.Literal(true, { description: 'The IP address of the client.' })),
    path: opt(Type.Literal(true, { description: 'The path of the request.' })),
  },
  {
    title: '{ header: NAME }, { cookie: NAME }, { clientIp: true } or { path: true }',
    minProperties: 1,
    maxProperties: 1,
  },
);

/** HAProxy's word, and its percent. */
const HashBalanceFactor = orOff(
  count(
    'With balance: hash, the most that a backend may hold of what is pending, in percent of its share; false: a key stays with its backend however much that holds.',
    100,
    10_000,
  ),
  { title: 'a percentage such as 125, or false for no bound', default: DEFAULTS.hashBalanceFactor },
);

const Sticky = orOff(
  block('Keeps a client at its backend with a cookie.', {
    cookie: opt(text('cookie-name', 'Name of the cookie; portway-SERVICE when left out.')),
    ttl: opt(
      duration('How long the cookie lives; left out, until the browser closes.', {
        minMs: 1000,
        maxMs: 400 * 86_400_000,
      }),
    ),
  }),
);

const Protocol = Type.Enum(['http1', 'h2', 'h2c'], {
  description:
    'What http and https backends speak: HTTP/1.1, HTTP/2 (h2: over TLS, so https://), or HTTP/2 in the clear (h2c: http://).',
  default: DEFAULTS.protocol,
});

const SendProxyProtocol = orOff(Type.Enum(['v1', 'v2']), {
  title: 'v1, v2 or false',
  description: 'tcp: the PROXY header that connections to backends start with, which tells them the client.',
  default: DEFAULTS.sendProxyProtocol,
});

const Pool = block('Connections to each backend.', {
  maxConnections: opt(
    count(
      'Connections to one backend, WebSockets not counted; 10000 where a tcp or udp service says nothing.',
      1,
      65_535,
      DEFAULTS.pool.maxConnections,
    ),
  ),
  queue: opt(
    count('Requests that may wait for a connection of one backend.', 0, 1_000_000, DEFAULTS.pool.queue),
  ),
  queueTimeout: opt(
    duration('How long they may wait before they get 503.', { default: DEFAULTS.pool.queueTimeout }),
  ),
  idleTimeout: opt(
    duration('When an unused connection is closed. What is learned of the backend lowers it.', {
      default: DEFAULTS.pool.idleTimeout,
    }),
  ),
  maxRequests: opt(
    count('Requests on one connection before it is replaced.', 1, 1_000_000_000, DEFAULTS.pool.maxRequests),
  ),
  maxAge: opt(duration('Life of one connection, give or take 10 %.', { default: DEFAULTS.pool.maxAge })),
});

const Tls = block('How https backends are verified.', {
  ca: opt(
    text('file-path', 'PEM file of the authorities to trust instead of the system’s, relative to this file.'),
  ),
  serverName: opt(text('host-name', 'The name to ask for and verify instead of the host in the URL.')),
  verify: opt(Type.Boolean({ description: 'false accepts any certificate: for tests only.', default: true })),
});

const serviceKeys = {
  balance: opt(Balance),
  hash: opt(Hash),
  hashBalanceFactor: opt(HashBalanceFactor),
  sticky: opt(Sticky),
  health: opt(Health),
  ejection: opt(Ejection),
  breaker: opt(Breaker),
  slowStart: opt(SlowStart),
  whenNoneEligible: opt(WhenNoneEligible),
  concurrency: opt(Concurrency),
  pool: opt(Pool),
  retry: opt(Retry),
  timeouts: opt(Timeouts),
  tls: opt(Tls),
  protocol: opt(Protocol),
};

/** One service: a named group of backends and how it is used. */
export const Service = block('A named group of backends.', {
  backends: Type.Array(Backend, { description: 'The servers, each known as its host:port.', minItems: 1 }),
  ...serviceKeys,
  sendProxyProtocol: opt(SendProxyProtocol),
});

/** Every key of a service that many may share, for all services; `maxBodySize` and `webSocket` for all routes. */
export const Defaults = block(
  'What holds for every service (maxBodySize, webSocket: for every route) that does not say otherwise.',
  {
    ...serviceKeys,
    maxBodySize: opt(MaxBodySize),
    webSocket: opt(WebSocket),
  },
);

export type ServiceConfig = Static<typeof Service>;
export type DefaultsConfig = Static<typeof Defaults>;
