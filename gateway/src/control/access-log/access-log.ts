import type { ExchangeReport } from '../../data/port.ts';
import type { Clock } from '../../time.ts';
import type { AccessLogPlan } from '../control-plan.ts';
import { ExchangeLine } from './exchange-line.ts';
import { isSampled } from './sampling.ts';

/** Where lines go. */
export interface LineSink {
  write(line: string): void;
}

/** Decides which exchanges are logged, and writes their lines. */
export class AccessLog {
  readonly #mode: AccessLogPlan['mode'];
  readonly #sampleRatio: number;
  readonly #line: ExchangeLine;
  readonly #sink: LineSink;
  readonly #clock: Clock;

  constructor(plan: AccessLogPlan, sink: LineSink, clock: Clock) {
    this.#mode = plan.mode;
    this.#sampleRatio = plan.sampleRatio;
    this.#line = new ExchangeLine(plan);
    this.#sink = sink;
    this.#clock = clock;
  }

  ended(report: ExchangeReport): void {
    if (this.#wants(report)) this.#sink.write(this.#line.of(report, this.#clock.wallNow()));
  }

  #wants(report: ExchangeReport): boolean {
    if (this.#mode === 'all' || report.status >= 500 || report.failure !== undefined) return true;
    return this.#mode === 'sampled' && isSampled(report.traceId, this.#sampleRatio);
  }
}
