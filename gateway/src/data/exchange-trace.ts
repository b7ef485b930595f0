import type { FailureCode } from '../errors.ts';
import type { Backend } from './backend.ts';
import type { Exchange } from './exchange.ts';
import type { BackendProtocol } from './plan.ts';
import type { AttemptReport, ExchangeWatcher, TraceReport } from './port.ts';
import type { RequestIds } from './request-id.ts';

/** W3C Trace Context §3.2.2.5: the bit of trace-flags that says that the caller recorded the trace. */
const SAMPLED = 1;

/** One attempt of a traced exchange. */
class AttemptTrace implements AttemptReport {
  readonly spanId: string;
  readonly kind: AttemptReport['kind'];
  readonly #backend: Backend;
  /** Request line of what was sent. */
  readonly target: string;
  readonly startedMs: number;
  endedMs = 0;
  status = 0;
  failure: FailureCode | undefined = undefined;

  constructor(
    spanId: string,
    kind: AttemptReport['kind'],
    backend: Backend,
    head: string,
    startedMs: number,
  ) {
    this.spanId = spanId;
    this.kind = kind;
    this.#backend = backend;
    const line = head.slice(0, head.indexOf('\r\n'));
    this.target = line.slice(line.indexOf(' ') + 1, line.lastIndexOf(' '));
    this.startedMs = startedMs;
  }

  end(nowMs: number, failure: FailureCode | undefined, status = this.status): void {
    this.endedMs = nowMs;
    this.failure = failure;
    this.status = status;
  }

  get backend(): string {
    return this.#backend.name;
  }

  get protocol(): BackendProtocol {
    return this.#backend.plan.protocol;
  }

  get host(): string {
    return this.#backend.plan.host;
  }

  get port(): number {
    return this.#backend.plan.port;
  }
}

/** The spans of an exchange that is sampled: its own, and one for each attempt, whose id goes to the backend. */
export class ExchangeTrace implements TraceReport {
  readonly traceId: string;
  readonly parentId: string;
  readonly spanId: string;
  /** Two hex digits. */
  readonly flags: string;
  readonly attempts: AttemptTrace[] = [];
  readonly #ids: RequestIds;
  #current: AttemptTrace | undefined;
  #hedge: AttemptTrace | undefined;

  private constructor(traceId: string, parentId: string, flags: number, ids: RequestIds) {
    this.traceId = traceId;
    this.parentId = parentId;
    this.spanId = ids.next();
    this.flags = (flags | SAMPLED).toString(16).padStart(2, '0');
    this.#ids = ids;
  }

  /** Undefined where the watcher does not want it. `parent` is the client's traceparent; empty where it sent none. */
  static begin(
    watcher: ExchangeWatcher,
    ids: RequestIds,
    traceId: string,
    parent: string,
  ): ExchangeTrace | undefined {
    if (watcher.samples === undefined) return undefined;
    const flags = parent === '' ? 0 : Number.parseInt(parent.slice(53), 16);
    const sampled = watcher.samples(traceId, parent === '' ? undefined : (flags & SAMPLED) !== 0);
    return sampled ? new ExchangeTrace(traceId, parent.slice(36, 52), flags, ids) : undefined;
  }

  attempt(exchange: Exchange, backend: Backend, startedMs: number, kind: AttemptReport['kind']): void {
    const spanId = this.#ids.next();
    exchange.requestHead = withSpan(exchange.requestHead, spanId, this.flags);
    const attempt = new AttemptTrace(spanId, kind, backend, exchange.requestHead, startedMs);
    this.attempts.push(attempt);
    if (kind === 'hedge') this.#hedge = attempt;
    else this.#current = attempt;
  }

  attemptFailed(failure: FailureCode, nowMs: number): void {
    this.#current?.end(nowMs, failure);
    this.#current = undefined;
  }

  answered(status: number, nowMs: number): void {
    // until its last byte, if that is waited for
    this.#current?.end(nowMs, undefined, status);
  }

  answerDiscarded(): void {
    this.#current = undefined;
  }

  hedgeEnded(status: number, failure: FailureCode | undefined, nowMs: number): void {
    this.#hedge?.end(nowMs, failure, status);
    this.#hedge = undefined;
  }

  hedgeTakesOver(nowMs: number): void {
    this.#current?.end(nowMs, undefined);
    this.#current = this.#hedge;
    this.#hedge = undefined;
  }

  /** @param failure of the attempt that was under way to the end, where there was one */
  end(attempting: boolean, failure: FailureCode | undefined, nowMs: number): void {
    if (attempting) this.#current?.end(nowMs, failure);
  }
}

/** The head with another parent-id: what the backend does is done for this attempt. */
function withSpan(head: string, spanId: string, flags: string): string {
  return head.replace(TRACEPARENT, (_all, before: string) => `${before}${spanId}-${flags}`);
}

const TRACEPARENT = /(\r\ntraceparent: ?00-[0-9a-f]{32}-)[0-9a-f]{16}-[0-9a-f]{2}(?=\r\n)/i;
