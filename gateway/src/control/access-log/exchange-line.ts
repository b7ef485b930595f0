import type { ExchangeReport } from '../../data/port.ts';
import type { AccessLogPlan } from '../control-plan.ts';
import { cut, msText, quoted, TimeText } from './json-text.ts';
import { LoggedFields } from './logged-fields.ts';
import { QueryRedaction } from './redact-query.ts';
import { terminationOf } from './termination.ts';

/** Longer paths and queries are cut: with all else a line stays under 16 KiB, beyond which Docker breaks it in two. */
const MAX_PATH_CHARS = 4_096;
const MAX_QUERY_CHARS = 2_048;
/** Names come from configs, and go with them. */
const MAX_KNOWN_NAMES = 10_000;

/**
 * Writes the lines of the access log: JSON by hand, since the keys are known, and a serializer that has to find them out
 * costs three times as much. What a client could have chosen goes through `quoted`; what is left is numbers, fixed words, and
 * what the codec lets through only in letters that need no escape.
 */
export class ExchangeLine {
  readonly #query: QueryRedaction;
  readonly #fields: LoggedFields;
  readonly #time = new TimeText();
  /** Names as JSON. */
  readonly #names = new Map<string, string>();

  constructor(plan: Pick<AccessLogPlan, 'headers' | 'redact'>) {
    this.#query = new QueryRedaction(plan.redact);
    this.#fields = new LoggedFields(plan, this.#query);
  }

  /** With its line end. */
  of(report: ExchangeReport, wallMs: number): string {
    const { requestId, traceId } = report;
    const ids =
      (requestId === '' ? '' : `,"requestId":"${requestId}"`) +
      (traceId === '' ? '' : `,"traceId":"${traceId}"`);
    const request = report.minorVersion < 0 ? '' : this.#request(report);
    const fields = this.#fields.none ? '' : this.#fields.of(report.head);
    return (
      `{"time":"${this.#time.of(wallMs)}","log":"access"${ids},"clientIp":${this.#name(report.clientIp)}${request}` +
      `,"status":${report.status}${outcome(report)}${this.#way(report)},"bytesIn":${report.bytesIn}` +
      `,"bytesOut":${report.bytesOut}${timings(report)}${fields === '' ? '' : `,"headers":${fields}`}}\n`
    );
  }

  #request({ method, host, path, query, minorVersion }: ExchangeReport): string {
    const asked =
      query === '' ? '' : `,"query":${quoted(cut(this.#query.of(query.slice(1)), MAX_QUERY_CHARS))}`;
    return (
      `,"method":"${method}","host":${this.#name(host)},"path":${quoted(cut(path, MAX_PATH_CHARS))}${asked}` +
      `,"protocol":"HTTP/1.${minorVersion}"`
    );
  }

  /** Which way it went. */
  #way({ route, service, backend, attempts, retries, hedged }: ExchangeReport): string {
    if (route === undefined || service === undefined) return '';
    const to = backend === undefined ? '' : `,"backend":${this.#name(backend)}`;
    return `,"route":${this.#name(route)},"service":${this.#name(service)}${to},"attempts":${attempts},"retries":${retries},"hedged":${hedged}`;
  }

  /** What is met again and again. */
  #name(name: string): string {
    const known = this.#names.get(name);
    if (known !== undefined) return known;
    if (this.#names.size >= MAX_KNOWN_NAMES) this.#names.clear();
    const text = quoted(name);
    this.#names.set(name, text);
    return text;
  }
}

function outcome({ failure, phase }: ExchangeReport): string {
  if (failure === undefined) return ',"termination":"--"';
  const { letters, words } = terminationOf(failure, phase);
  return `,"code":"${failure}","termination":"${letters}","ended":"${words}"`;
}

function timings({ queueMs, connectMs, firstByteMs, durationMs }: ExchangeReport): string {
  const head = firstByteMs === undefined ? '' : `,"firstByteMs":${msText(firstByteMs)}`;
  return `,"queueMs":${msText(queueMs)},"connectMs":${msText(connectMs)}${head},"totalMs":${msText(durationMs)}`;
}
