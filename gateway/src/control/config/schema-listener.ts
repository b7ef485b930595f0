import type { Static } from 'typebox';
import { Type } from 'typebox';
import { DEFAULTS } from './defaults.ts';
import { block, count, duration, size, text } from './schema-values.ts';

const opt = Type.Optional;
const preset = DEFAULTS.listener;

/** One address that clients connect to. */
export const Listener = block(
  'An address that clients connect to.',
  {
    address: text(
      'listen-address',
      'IP address and port, such as 0.0.0.0:8080 or [::1]:8080; :8080 is every address.',
      {
        default: preset.address,
      },
    ),
    trustedProxies: opt(
      Type.Array(text('trusted-proxy', 'IP address, CIDR block, loopback or private.'), {
        description: 'Whose X-Forwarded-* and Forwarded fields are believed.',
        default: [],
      }),
    ),
    maxConnections: opt(count('Connections at once.', 1, 10_000_000, preset.maxConnections)),
    timeouts: opt(
      block('How long a client may take.', {
        head: opt(duration('For the head of a request.', { default: preset.timeouts.head })),
        body: opt(
          duration('Longest silence in the middle of a request body.', { default: preset.timeouts.body }),
        ),
        keepAlive: opt(duration('Between requests.', { default: preset.timeouts.keepAlive })),
      }),
    ),
    limits: opt(
      block('What a request head may hold.', {
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
      }),
    ),
  },
  { later: ['tls', 'http2', 'proxyProtocol', 'redirectToHttps', 'protocol', 'tunnel', 'clientCa'] },
);

export type ListenerConfig = Static<typeof Listener>;
