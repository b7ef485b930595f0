import { isDeepStrictEqual } from 'node:util';
import type { DataPort, ExchangeReport, ExchangeWatcher } from '../data/port.ts';
import type { Clock, Random } from '../time.ts';
import { AccessLog } from './access-log/access-log.ts';
import { LineWriter } from './access-log/line-writer.ts';
import { LogFile } from './access-log/log-file.ts';
import type { AccessLogPlan, ControlPlan } from './control-plan.ts';
import type { Log } from './log.ts';
import type { Tracing } from './tracing/tracing.ts';

export interface TelemetryDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly port: Pick<DataPort, 'watch'>;
  readonly version: string;
  /** The process's own, where it writes lines too; left out, one is made. */
  readonly stdout: LineWriter | undefined;
}

type TelemetryPlan = Pick<ControlPlan, 'accessLog' | 'tracing'>;

/** What is told of each request to the outside: access log and traces. Nothing is kept of requests where there is neither. */
export class Telemetry implements ExchangeWatcher {
  readonly #deps: TelemetryDeps;
  #accessLog: AccessLog | undefined;
  #file: LogFile | undefined;
  #ownStdout: LineWriter | undefined;
  #tracing: Tracing | undefined;
  samples: ExchangeWatcher['samples'];

  constructor(deps: TelemetryDeps) {
    this.#deps = deps;
  }

  /** Takes over new settings. Rejects, with the old ones still in force, when the log's file cannot be opened. */
  async update({ accessLog, tracing }: TelemetryPlan): Promise<void> {
    const { clock, port } = this.#deps;
    const before = this.#file;
    const keeps = before !== undefined && before.path === accessLog?.file;
    const file = keeps ? before : this.#open(accessLog);
    this.#file = file;
    this.#accessLog =
      accessLog === undefined ? undefined : new AccessLog(accessLog, file?.lines ?? this.#stdout(), clock);
    await this.#updateTracing(tracing);
    port.watch(this.#accessLog === undefined && this.#tracing === undefined ? undefined : this);
    if (!keeps) await before?.close();
  }

  /** Opens the log's file anew, after it was moved away. */
  reopen(): void {
    this.#file?.reopen();
  }

  /** Plain numbers for the admin API. */
  counts(): { readonly logLinesDropped: number; readonly spansDropped: number } {
    const lines = this.#file?.lines ?? this.#deps.stdout ?? this.#ownStdout;
    return { logLinesDropped: lines?.dropped ?? 0, spansDropped: this.#tracing?.dropped ?? 0 };
  }

  ended(report: ExchangeReport): void {
    this.#accessLog?.ended(report);
    if (report.trace !== undefined) this.#tracing?.ended(report, report.trace);
  }

  /** What is left is written and sent, as far as that can be done in a few seconds. */
  async close(): Promise<void> {
    // what a deadline cut off is told of when its sockets have closed
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    this.#deps.port.watch(undefined);
    this.#accessLog = undefined;
    const file = this.#file;
    this.#file = undefined;
    await Promise.all([file?.close(), this.#ownStdout?.close(), this.#tracing?.close()]);
  }

  #open(plan: AccessLogPlan | undefined): LogFile | undefined {
    if (plan?.file === undefined) return undefined;
    const { clock, log } = this.#deps;
    return new LogFile(plan.file, { clock, log, name: 'access log' });
  }

  #stdout(): LineWriter {
    const { stdout, clock, log } = this.#deps;
    this.#ownStdout ??= stdout === undefined ? new LineWriter(1, { clock, log, name: 'stdout' }) : undefined;
    return stdout ?? (this.#ownStdout as LineWriter);
  }

  async #updateTracing(plan: ControlPlan['tracing']): Promise<void> {
    const before = this.#tracing;
    if (before !== undefined && isDeepStrictEqual(before.plan, plan)) return;
    if (plan === undefined) this.#tracing = undefined;
    else {
      const { Tracing } = await import('./tracing/tracing.ts');
      this.#tracing = new Tracing(plan, this.#deps);
    }
    const tracing = this.#tracing;
    this.samples = tracing === undefined ? undefined : (traceId, parent) => tracing.samples(traceId, parent);
    // not waited for: a collector that is away must not hold a reload up
    void before?.close();
  }
}
