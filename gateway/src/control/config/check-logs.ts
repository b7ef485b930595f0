import { NEVER_LOGGED } from '../access-log/logged-fields.ts';
import type { CheckContext } from './check-context.ts';

/** What does not mean in `accessLog` and `tracing` what it seems to. */
export function checkLogs(context: CheckContext): void {
  const { accessLog, tracing } = context.draft;
  if (accessLog && !context.isBroken(['accessLog'])) {
    for (const [index, name] of (accessLog.headers ?? []).entries()) {
      if (name !== undefined && NEVER_LOGGED.has(name.toLowerCase()))
        context.warning(['accessLog', 'headers', index], `headers: the value of ${name} is never logged`);
    }
    const mode = accessLog.mode ?? 'sampled';
    if (accessLog.sample !== undefined && mode !== 'sampled')
      context.warning(['accessLog', 'sample'], `sample: says nothing with mode: ${mode}`);
  }
  if (tracing && tracing.otlp !== undefined && !context.isBroken(['tracing'])) {
    if (URL.parse(tracing.otlp)?.port === '4317')
      context.warning(['tracing', 'otlp'], 'otlp: 4317 is the port of OTLP over gRPC; over HTTP it is 4318');
  }
}
