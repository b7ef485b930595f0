import { Type } from 'typebox';
import { DEFAULTS } from './defaults.ts';
import { block, duration, durationOrOff, orOff, size } from './schema-values.ts';

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
});

/** `maxBodySize` of a route and of `defaults`. */
export const MaxBodySize = orOff(size('Largest request body; more is 413. false is no limit.'), {
  title: 'a size such as 10MiB, or false for no limit',
  default: DEFAULTS.maxBodySize,
});
