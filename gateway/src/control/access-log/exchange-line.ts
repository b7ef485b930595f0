import type { ExchangeReport } from '../../data/port.ts';
import type { AccessLogPlan } from '../control-plan.ts';
import { clientText, msText, quoted, TimeText } from './json-text.ts';
import { LoggedFields } from './logged-fields.ts';
import { QueryRedaction } from './redact-query.ts';
import { terminationOf } from './termination.ts';

/** Longer paths and queries are cut: with all else a line stays under 16 KiB, beyond which Docker breaks it in two. */
const MAX_PATH_CHARS = 4_096;
const MAX_QUERY_CHARS = 2_048;

/**
 * Writes the lines of the access log: JSON by hand, since the keys are known, and a serializer that has to find them out
 * costs three times as much. What a client could have chosen goes through `quoted`; what is left is numbers and fixed words.
 */
export class ExchangeLine {
  readonly #query: QueryRedaction;
  readonly #fields: LoggedFields;
  readonly #time = new TimeText();

  constructor(plan: Pick<AccessLogPlan, 'headers' | 'redact'>) {
    this.#query = new QueryRedaction(plan.redact);
    this.#fields = new LoggedFields(plan, this.#query);
  }

  /** With its line end. */
  of(report: ExchangeReport, wallMs: number): string {
    const { requestId, traceId } = report;
    let line = `{"time":"${this.#time.of(wallMs)}","log":"access"`;
    if (requestId !== '') line += `,"requestId":${quoted(requestId)}`;
    if (traceId !== '') line += `,"traceId":"${traceId}"`;
    line += `,"clientIp":${quoted(report.clientIp)}`;
    if (report.minorVersion >= 0) line += this.#request(report);
    line += `,"status":${report.status}${outcome(report)}${way(report)}`;
    line += `,"bytesIn":${report.bytesIn},"bytesOut":${report.bytesOut}${timings(report)}`;
    const fields = this.#fields.none ? '' : this.#fields.of(report.head);
    return fields === '' ? `${line}}\n` : `${line},"headers":${fields}}\n`;
  }

  #request({ method, host, path, query, minorVersion }: ExchangeReport): string {
    let text = `,"method":${quoted(method)},"host":${quoted(host)},"path":${quoted(clientText(path, MAX_PATH_CHARS))}`;
    if (query !== '') text += `,"query":${quoted(clientText(this.#query.of(query.slice(1)), MAX_QUERY_CHARS))}`;
    return `${text},"protocol":"HTTP/1.${minorVersion}"`;
  }
}

function outcome({ failure, phase }: ExchangeReport): string {
  if (failure === undefined) return ',"termination":"--"';
  const { letters, words } = terminationOf(failure, phase);
  return `,"code":"${failure}","termination":"${letters}","ended":"${words}"`;
}

/** Which way it went. */
function way({ route, service, backend, attempts, retries, hedged }: ExchangeReport): string {
  if (route === undefined || service === undefined) return '';
  let text = `,"route":${quoted(route)},"service":${quoted(service)}`;
  if (backend !== undefined) text += `,"backend":${quoted(backend)}`;
  return `${text},"attempts":${attempts},"retries":${retries},"hedged":${hedged}`;
}

function timings({ queueMs, connectMs, firstByteMs, durationMs }: ExchangeReport): string {
  const head = firstByteMs === undefined ? '' : `,"firstByteMs":${msText(firstByteMs)}`;
  return `,"queueMs":${msText(queueMs)},"connectMs":${msText(connectMs)}${head},"totalMs":${msText(durationMs)}`;
}
