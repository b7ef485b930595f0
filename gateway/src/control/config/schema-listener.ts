import type { Static } from 'typebox';
import { Type } from 'typebox';
import { DEFAULTS } from './defaults.ts';
import { ForwardProxy } from './schema-forward-proxy.ts';
import { ListenerTls } from './schema-listener-tls.ts';
import { block, count, duration, size, text } from './schema-values.ts';

const opt = Type.Optional;
const preset = DEFAULTS.listener;

const Timeouts = block('How long a client may take.', {
  head: opt(duration('http: for the head of a request.', { default: preset.timeouts.head })),
  body: opt(
    duration('http: longest silence in the middle of a request body.', { default: preset.timeouts.body }),
  ),
  keepAlive: opt(duration('http: between requests.', { default: preset.timeouts.keepAlive })),
  hello: opt(duration('tcp: for the PROXY header and the TLS hello.', { default: preset.timeouts.hello })),
  idle: opt(
    duration(
      `Longest silence of both sides; tcp: ${preset.timeouts.tcpIdle} when left out, udp: ${preset.timeouts.udpIdle}.`,
    ),
  ),
});

const Limits = block('What a request head may hold.', {
  head: opt(
    size('The whole head; more is 431.', {
      default: preset.limits.head,
      minBytes: 1024,
      maxBytes: 1024 ** 2,
    }),
  ),
  target: opt(
    size('The request target; more is 414.', {
      default: preset.limits.target,
      minBytes: 64,
      maxBytes: 1024 ** 2,
    }),
  ),
  headers: opt(count('Header fields; more is 431.', 1, 10_000, preset.limits.headers)),
});

const Http2 = Type.Union(
  [
    Type.Literal(true),
    Type.Literal(false),
    block('HTTP/2 as it is set here.', {
      maxStreams: opt(count('Streams of one connection at once.', 1, 65_535, preset.http2.maxStreams)),
      initialWindow: opt(
        size('What a client may send ahead on one stream.', {
          default: preset.http2.initialWindow,
          minBytes: 16 * 1024,
          maxBytes: 16 * 1024 ** 2,
        }),
      ),
    }),
  ],
  {
    title: 'true, false or { maxStreams, initialWindow }',
    description:
      'HTTP/2: with tls it is on unless false; without, true takes it from clients that start with it (h2c by prior knowledge).',
  },
);

/** One address that clients connect to. */
export const Listener = block('An address that clients connect to.', {
  address: text(
    'listen-address',
    'IP address and port, such as 0.0.0.0:8080 or [::1]:8080; :8080 is every address.',
    {
      default: preset.address,
    },
  ),
  protocol: opt(
    Type.Enum(['http', 'tcp', 'udp'], {
      description: 'What is spoken there; tcp and udp lead to one service instead of routes.',
      default: preset.protocol,
    }),
  ),
  service: opt(text('service-name', 'tcp, udp: the service that takes what no name in sni is for.')),
  sni: opt(
    Type.Record(Type.String(), text('service-name', 'The service.'), {
      description:
        'tcp: services by the name that the client’s TLS hello asks for, such as db.example.com or *.example.com; the TLS is passed through.',
      propertyNames: { format: 'sni-name' },
      minProperties: 1,
      maxProperties: 10_000,
    }),
  ),
  tls: opt(ListenerTls),
  http2: opt(Http2),
  redirectToHttps: opt(
    Type.Union([Type.Literal(true), Type.Literal(false), Type.Integer({ minimum: 1, maximum: 65_535 })], {
      title: 'true, false or the port of the https listener',
      description: 'Sends every request to the same URL with https, at this port; true is 443.',
      default: false,
    }),
  ),
  tunnel: opt(ForwardProxy),
  trustedProxies: opt(
    Type.Array(text('trusted-proxy', 'IP address, CIDR block, loopback or private.'), {
      description: 'Whose X-Forwarded-* and Forwarded fields, and PROXY headers, are believed.',
      default: [],
    }),
  ),
  proxyProtocol: opt(
    Type.Boolean({
      description: 'Whether trustedProxies start each connection with a PROXY header (v1 or v2).',
      default: false,
    }),
  ),
  maxConnections: opt(count('Connections (udp: clients) at once.', 1, 10_000_000, preset.maxConnections)),
  maxAnswers: opt(
    count(
      'udp: datagrams that a backend may answer for each of the client’s; 0 is no limit.',
      0,
      1_000_000,
      preset.maxAnswers,
    ),
  ),
  timeouts: opt(Timeouts),
  limits: opt(Limits),
});

export type ListenerConfig = Static<typeof Listener>;
