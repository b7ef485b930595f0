import { Type } from 'typebox';
import { DEFAULTS } from './defaults.ts';
import { HEDGE_PATTERN } from './hedge.ts';
import { block, count, duration, durationOrOff, orOff, size, text } from './schema-values.ts';

const opt = Type.Optional;
const preset = DEFAULTS.retry;

const CONDITIONS = [
  ...(['connect-failure', 'reset', 'timeout', '500', '502', '503', '504'] as const),
  ...(['grpc-unavailable', 'grpc-resource-exhausted', 'grpc-deadline-exceeded'] as const),
] as const;

const retryKeys = {
  attempts: opt(count('Attempts after the first.', 1, 10, preset.attempts)),
  on: opt(
    Type.Array(Type.Enum(CONDITIONS), {
      description:
        'What is worth another attempt; grpc-… are statuses of gRPC answers that hold nothing else.',
      minItems: 1,
      default: preset.on,
    }),
  ),
  perTryTimeout: opt(
    durationOrOff('How long one attempt may take until the head of its answer; 0 is no limit.', {
      default: preset.perTryTimeout,
    }),
  ),
  backoff: opt(
    duration(
      'The pause before a second retry; it doubles with each further one, and a random share is taken.',
      {
        default: preset.backoff,
        maxMs: 60_000,
      },
    ),
  ),
  hedge: opt(
    orOff(
      text('hedge', 'When a second attempt starts beside a slow first one; idempotent methods only.', {
        pattern: HEDGE_PATTERN,
      }),
      {
        title: 'a duration such as 50ms, a percentile of recent latencies from p50 to p99.9, or false',
        default: preset.hedge,
      },
    ),
  ),
  maxBodySize: opt(
    size('Largest request body that is kept to be sent again.', {
      default: preset.maxBodySize,
      maxBytes: 64 * 1024 ** 2,
    }),
  ),
  nonIdempotent: opt(
    Type.Boolean({ description: 'Retry POST and PATCH too: only when the backends cope.', default: false }),
  ),
};

/** `retry` of a service, with the budget that all of its routes share. */
export const Retry = orOff(
  block('A further attempt, on another backend, for requests that can be sent again.', {
    ...retryKeys,
    budgetPercent: opt(
      count('Retries and hedges beside first attempts, in percent.', 1, 100, preset.budgetPercent),
    ),
    minPerSecond: opt(
      count('Retries and hedges allowed whatever the percentage.', 0, 100_000, preset.minPerSecond),
    ),
  }),
);

/** `retry` of a route, which overrides its service field by field. */
export const RouteRetry = orOff(
  block('What differs from the retries of the service; false is no retries.', retryKeys),
);
