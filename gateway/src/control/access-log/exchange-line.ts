import type { ExchangeReport } from '../../data/port.ts';
import type { AccessLogPlan } from '../control-plan.ts';
import { cut, flat, msText, quoted, TimeText } from './json-text.ts';
import { LoggedFields } from './logged-fields.ts';
import { QueryRedaction } from './redact-query.ts';
import { terminationOf } from './termination.ts';

/** Longer paths and queries are cut: with all else a line stays under 16 KiB, beyond which Docker breaks it in two. */
const MAX_PATH_CHARS = 4_096;
const MAX_QUERY_CHARS = 2_048;
/** Of each kind; clients choose some of them, so that there may be many. */
const MAX_KEPT = 1_000;

const ONE_ATTEMPT = ',"attempts":1,"retries":0,"hedged":false,"bytesIn":';
const VERSIONS: Readonly<Record<ExchangeReport['protocol'], string>> = {
  'HTTP/1.0': ',"protocol":"HTTP/1.0"',
  'HTTP/1.1': ',"protocol":"HTTP/1.1"',
  'HTTP/2.0': ',"protocol":"HTTP/2.0"',
  TCP: ',"protocol":"TCP"',
  UDP: ',"protocol":"UDP"',
  '': '',
};
const NO_WAIT = ',"queueMs":0,"connectMs":0';

/**
 * Writes the lines of the access log: JSON by hand, since the keys are known, and a serializer that has to find them out
 * costs three times as much. Stretches that most lines share are kept as one flat text each: what a line costs is the number
 * of its pieces. What a client could have chosen goes through `quoted`; what is left is numbers, fixed words, and what the
 * codec lets through only in letters that need no escape.
 */
export class ExchangeLine {
  readonly #query: QueryRedaction;
  readonly #fields: LoggedFields;
  readonly #time = new TimeText();
  readonly #clients = new Kept();
  readonly #hosts = new Kept();
  readonly #routes = new Kept();
  readonly #backends = new Kept();
  readonly #statuses = new Map<number, string>();

  constructor(plan: Pick<AccessLogPlan, 'headers' | 'redact'>) {
    this.#query = new QueryRedaction(plan.redact);
    this.#fields = new LoggedFields(plan, this.#query);
  }

  /** With its line end, in ASCII. */
  of(report: ExchangeReport, wallMs: number): string {
    const { requestId, traceId } = report;
    const ids =
      (requestId === '' ? '' : `"requestId":"${requestId}",`) +
      (traceId === '' ? '' : `"traceId":"${traceId}",`);
    const request = report.method === '' ? this.#connection(report) : this.#request(report);
    const way = `${this.#outcome(report)}${this.#way(report)}${report.bytesIn},"bytesOut":${report.bytesOut}`;
    const fields = this.#fields.none ? '' : this.#fields.of(report.head);
    const end = fields === '' ? '}\n' : `,"headers":${fields}}\n`;
    return (
      `{"time":"${this.#time.of(wallMs)}","log":"access",${ids}${this.#client(report.clientIp)}${request}` +
      `${way}${timings(report)}${tunnel(report)}${end}`
    );
  }

  #client(ip: string): string {
    return this.#clients.of(ip, ip) ?? this.#clients.keep(ip, ip, `"clientIp":${quoted(ip)}`);
  }

  /** What is no request: a connection or a session, or nothing that was understood. */
  #connection({ protocol, host }: ExchangeReport): string {
    if (protocol === '') return '';
    const name = host === '' ? '' : `,"serverName":${quoted(host)}`;
    return name + VERSIONS[protocol];
  }

  #request({ method, host, path, query, protocol }: ExchangeReport): string {
    const asked =
      this.#hosts.of(method, host) ??
      this.#hosts.keep(method, host, `,"method":"${method}","host":${quoted(host)},"path":`);
    const to = quoted(cut(path, MAX_PATH_CHARS));
    const version = VERSIONS[protocol];
    if (query === '') return asked + to + version;
    return `${asked}${to},"query":${quoted(cut(this.#query.of(query.slice(1)), MAX_QUERY_CHARS))}${version}`;
  }

  #outcome({ status, failure, phase, protocol }: ExchangeReport): string {
    // a connection is answered with no status
    const isRequest = protocol !== 'TCP' && protocol !== 'UDP';
    if (failure !== undefined) {
      const { letters, words } = terminationOf(failure, phase);
      const answer = isRequest ? `,"status":${status}` : '';
      return `${answer},"code":"${failure}","termination":"${letters}","ended":"${words}"`;
    }
    if (!isRequest) return ',"termination":"--"';
    const kept = this.#statuses.get(status);
    if (kept !== undefined) return kept;
    const text = flat(`,"status":${status},"termination":"--"`);
    this.#statuses.set(status, text);
    return text;
  }

  /** Which way it went; up to the number of bytes that came. */
  #way({ route, service, backend, attempts, retries, hedged }: ExchangeReport): string {
    if (route === undefined || service === undefined) return ',"bytesIn":';
    const way =
      this.#routes.of(route, service) ??
      this.#routes.keep(route, service, `,"route":${quoted(route)},"service":${quoted(service)}`);
    const to =
      backend === undefined
        ? ''
        : (this.#backends.of(backend, backend) ??
          this.#backends.keep(backend, backend, `,"backend":${quoted(backend)}`));
    if (attempts === 1 && !hedged) return way + to + ONE_ATTEMPT;
    return `${way}${to},"attempts":${attempts},"retries":${retries},"hedged":${hedged},"bytesIn":`;
  }
}

function timings({ queueMs, connectMs, firstByteMs, durationMs }: ExchangeReport): string {
  const waits =
    queueMs === 0 && connectMs === 0
      ? NO_WAIT
      : `,"queueMs":${msText(queueMs)},"connectMs":${msText(connectMs)}`;
  const head = firstByteMs === undefined ? '' : `,"firstByteMs":${msText(firstByteMs)}`;
  return `${waits}${head},"totalMs":${msText(durationMs)}`;
}

/** What went through what it became, and which side (or what) ended that. */
function tunnel({ tunnel: became }: ExchangeReport): string {
  if (became === undefined) return '';
  const { bytesIn, bytesOut, durationMs, ending = 'unknown' } = became;
  return `,"tunnel":{"bytesIn":${bytesIn},"bytesOut":${bytesOut},"ms":${msText(durationMs)},"ended":"${ending}"}`;
}

/** Texts by two names; the last one used is found without a look-up. */
class Kept {
  #first = '';
  #second = '';
  #text = '';
  readonly #texts = new Map<string, Map<string, string>>();
  #size = 0;

  of(first: string, second: string): string | undefined {
    if (first === this.#first && second === this.#second && this.#text !== '') return this.#text;
    const text = this.#texts.get(first)?.get(second);
    if (text !== undefined) this.#use(first, second, text);
    return text;
  }

  keep(first: string, second: string, text: string): string {
    if (this.#size >= MAX_KEPT) {
      this.#texts.clear();
      this.#size = 0;
    }
    this.#size += 1;
    const inner = this.#texts.get(first) ?? new Map<string, string>();
    const whole = flat(text);
    // what was cut out of a head would hold all of it
    this.#texts.set(flat(first), inner.set(flat(second), whole));
    this.#use(flat(first), flat(second), whole);
    return whole;
  }

  #use(first: string, second: string, text: string): void {
    this.#first = first;
    this.#second = second;
    this.#text = text;
  }
}
