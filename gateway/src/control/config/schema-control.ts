import { Type } from 'typebox';
import { DEFAULTS } from './defaults.ts';
import { FLEET_PATTERN } from './redis-url.ts';
import { block, duration, durationOrOff, orOff, text } from './schema-values.ts';

const opt = Type.Optional;

/** The port of the people who run the gateway. */
export const Admin = orOff(
  block('The admin API, the metrics and the status page.', {
    address: opt(text('listen-address', 'Where it listens.', { default: DEFAULTS.admin.address })),
    token: opt(
      text('field-value', 'What writes need when the address is not loopback.', {
        secret: true,
        emptyIsAbsent: true,
        minLength: 1,
      }),
    ),
  }),
  { secret: true },
);

/** What replicas share through Redis. */
export const Redis = orOff(
  block('What replicas share their knowledge through; left out, it stays in memory.', {
    url: text(
      'redis-url',
      'redis://host:port, redis+sentinel://host:port,host:port/MASTER or redis+cluster://host:port,host:port; rediss for TLS. Empty: as if redis were left out.',
      { secret: true },
    ),
    fleet: opt(
      text('fleet-name', 'Replicas of one name share; others do not.', {
        pattern: FLEET_PATTERN,
        default: DEFAULTS.redis.fleet,
      }),
    ),
  }),
  { secret: true },
);

/** What SIGTERM does. */
export const Drain = block('How the gateway ends.', {
  delay: opt(
    durationOrOff(
      'How long new requests are still taken after readiness is false, so that balancers before this one notice.',
      { default: DEFAULTS.drain.delay },
    ),
  ),
  timeout: opt(duration('How long requests under way may take to end.', { default: DEFAULTS.drain.timeout })),
});
