import { Type } from 'typebox';
import { DEFAULTS } from './defaults.ts';
import { block, count, duration, durationOrOff, fields, orOff, text } from './schema-values.ts';

const opt = Type.Optional;

/** Probes that find out whether a backend is well. */
export const Health = orOff(
  block('Probes each backend, before its first traffic and ever after.', {
    type: opt(
      Type.Enum(['http', 'tcp', 'grpc'], {
        description:
          'A GET request, only a connection, or grpc.health.v1.Health/Check. Left out: http when path, status, headers, host or body is given, grpc when service is, else tcp.',
      }),
    ),
    path: opt(text('request-target', 'What an http probe asks for; / when left out.')),
    interval: opt(
      duration('From one probe to the next, give or take 10 %.', {
        default: DEFAULTS.health.interval,
        minMs: 100,
      }),
    ),
    timeout: opt(duration('When an unanswered probe has failed.', { default: DEFAULTS.health.timeout })),
    rise: opt(count('Good probes in a row that make a backend healthy.', 1, 100, DEFAULTS.health.rise)),
    fall: opt(count('Bad probes in a row that make it unhealthy.', 1, 100, DEFAULTS.health.fall)),
    status: opt(
      Type.Union(
        [
          Type.Integer({ minimum: 100, maximum: 599 }),
          Type.String({ format: 'status-range', pattern: '^[1-5][0-9]{2}(-[1-5][0-9]{2})?$' }),
        ],
        {
          title: 'a status such as 200, or a range such as 200-399',
          description: 'The status of a good answer.',
          default: DEFAULTS.health.status,
        },
      ),
    ),
    headers: opt(fields('Fields to send with a probe.', 'editable-field-name')),
    host: opt(text('host-name', 'The Host to send with a probe.')),
    service: opt(
      Type.String({
        description: 'The name a grpc probe asks for; left out, the whole server.',
        maxLength: 256,
      }),
    ),
    body: opt(
      Type.String({
        description: 'Text that the first 64 KiB of a good answer hold.',
        minLength: 1,
        maxLength: 1024,
      }),
    ),
  }),
);

/** Ejection: what real traffic says of a backend. */
export const Ejection = orOff(
  block('Takes a backend out for a while when real requests fail there.', {
    consecutiveFailures: opt(
      count('Failures in a row that eject.', 1, 10_000, DEFAULTS.ejection.consecutiveFailures),
    ),
    failurePercent: opt(
      count(
        'Or this share of failures within the window, in percent.',
        1,
        100,
        DEFAULTS.ejection.failurePercent,
      ),
    ),
    minRequests: opt(
      count('Requests in the window before the share counts.', 1, 1_000_000, DEFAULTS.ejection.minRequests),
    ),
    window: opt(duration('The window.', { default: DEFAULTS.ejection.window, minMs: 1000 })),
    baseTime: opt(
      duration('How long the first ejection lasts; each further one doubles it.', {
        default: DEFAULTS.ejection.baseTime,
      }),
    ),
    maxTime: opt(duration('The longest an ejection lasts.', { default: DEFAULTS.ejection.maxTime })),
    maxPercent: opt(
      count(
        'Most of a service that may be out at once, in percent; the last one never is.',
        1,
        100,
        DEFAULTS.ejection.maxPercent,
      ),
    ),
  }),
);

/** The circuit breaker of each backend. */
export const Breaker = orOff(
  block('Stops asking a backend that keeps failing, and tries it now and then.', {
    failurePercent: opt(
      count(
        'Share of failures within the window that opens it, in percent.',
        1,
        100,
        DEFAULTS.breaker.failurePercent,
      ),
    ),
    minRequests: opt(
      count('Requests in the window before the share counts.', 1, 1_000_000, DEFAULTS.breaker.minRequests),
    ),
    window: opt(duration('The window.', { default: DEFAULTS.breaker.window, minMs: 1000 })),
    openTime: opt(
      duration('How long it stays open at first; each further time doubles it.', {
        default: DEFAULTS.breaker.openTime,
      }),
    ),
    maxOpenTime: opt(duration('The longest it stays open.', { default: DEFAULTS.breaker.maxOpenTime })),
    slowCall: opt(duration('An answer whose head takes longer counts as slow; left out, none does.')),
    slowPercent: opt(
      count('Share of slow answers that opens it, in percent.', 1, 100, DEFAULTS.breaker.slowPercent),
    ),
  }),
);

/** The ramp of a backend that came back. */
export const SlowStart = orOff(
  durationOrOff('How long a backend that came back takes to its full share; 0 or false is at once.'),
  {
    title: 'a duration such as 10s, or false',
    default: DEFAULTS.slowStart,
  },
);

/** What happens when no backend of a service is eligible. */
export const WhenNoneEligible = Type.Enum(['reject', 'all'], {
  description: 'reject answers 503; all tries every backend that is not disabled, loudly.',
  default: DEFAULTS.whenNoneEligible,
});
