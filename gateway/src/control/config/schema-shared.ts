import { Type } from 'typebox';
import { DEFAULTS } from './defaults.ts';
import { block, count, duration, durationOrOff, orOff, size } from './schema-values.ts';

const opt = Type.Optional;

/** `timeouts` of a service, and of a route, which overrides its service field by field. */
export const Timeouts = block('How long a backend may take.', {
  connect: opt(duration('To connect, TLS included.', { default: DEFAULTS.timeouts.connect })),
  head: opt(
    duration('From the whole request sent to the head of the response.', { default: DEFAULTS.timeouts.head }),
  ),
  idle: opt(
    duration('Longest silence in the middle of a body or a tunnel.', { default: DEFAULTS.timeouts.idle }),
  ),
  total: opt(
    durationOrOff('For the whole exchange, retries included; 0 is no limit.', {
      default: DEFAULTS.timeouts.total,
    }),
  ),
  eventStream: opt(
    duration('Longest silence in the middle of an event stream (text/event-stream).', {
      default: DEFAULTS.timeouts.eventStream,
    }),
  ),
});

/** `webSocket` of a route and of `defaults`. */
export const WebSocket = block('Connections that are upgraded: WebSockets and the like.', {
  maxConnections: opt(
    count('Open ones of one route; more get 503.', 1, 10_000_000, DEFAULTS.webSocket.maxConnections),
  ),
  idle: opt(duration('Longest silence of both sides.', { default: DEFAULTS.webSocket.idle })),
  ping: opt(
    durationOrOff('How often a WebSocket on which nothing happens is pinged, both ways; 0 is never.', {
      default: DEFAULTS.webSocket.ping,
      minMs: 1000,
    }),
  ),
});

/** `maxBodySize` of a route and of `defaults`. */
export const MaxBodySize = orOff(size('Largest request body; more is 413. false is no limit.'), {
  title: 'a size such as 10MiB, or false for no limit',
  default: DEFAULTS.maxBodySize,
});

/** `concurrency` of a service, and of a route, which has a limit of its own beside its service's. */
export const Concurrency = orOff(
  block('Requests under way at once; left out or false is no limit.', {
    max: opt(
      count(
        `The most; needed unless adaptive, which has ${DEFAULTS.concurrency.adaptiveMax} then.`,
        1,
        1_000_000,
      ),
    ),
    queue: opt(
      count('Requests that may wait for one under way to end.', 0, 1_000_000, DEFAULTS.concurrency.queue),
    ),
    queueTimeout: opt(
      duration('How long they may wait before they get 503.', { default: DEFAULTS.concurrency.queueTimeout }),
    ),
    adaptive: opt(
      Type.Boolean({
        description: 'Whether the limit follows the latency, from 1 to max, instead of standing at max.',
        default: DEFAULTS.concurrency.adaptive,
      }),
    ),
  }),
);
