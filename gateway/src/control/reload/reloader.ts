import type { Plan } from '../../data/plan.ts';
import type { PlanChange } from '../../data/port.ts';
import { formatProblem, type LoadedConfig } from '../config/load.ts';
import type { ControlPlan } from '../control-plan.ts';
import type { Log } from '../log.ts';
import { formatPlanChange } from './format-plan-change.ts';
import { listenProblem } from './listen-problem.ts';
import type { ReloadResult } from './reload-result.ts';
import { settingChanges } from './setting-changes.ts';

export type ReloadCause = 'SIGHUP' | 'file' | 'api';

type GoodConfig = Extract<LoadedConfig, { readonly ok: true }>;

export interface InForce {
  readonly plan: Plan;
  readonly control: ControlPlan;
}

export interface ReloaderDeps {
  /** Reads the file and the environment afresh; what it throws (the file cannot be read) is a failed reload. */
  readonly load: () => LoadedConfig | Promise<LoadedConfig>;
  /** Rejects, with nothing changed, when the plan cannot be put in force (an address cannot be listened on). */
  readonly apply: (plan: Plan) => Promise<readonly PlanChange[]>;
  /** What the gateway started with. */
  readonly before: InForce;
  readonly log: Log;
  /** After each reload that went well, also one that changed nothing. Must not throw. */
  readonly onApplied?: (loaded: GoodConfig) => void;
}

export interface ReloadCounts {
  /** With changes. */
  readonly succeeded: number;
  readonly failed: number;
  readonly unchanged: number;
}

/** Nobody reads more, and each line of a log is written before the next request is looked at. */
const MOST_LINES = 1000;

/** Puts a new config in force while the gateway runs, or leaves all as it is and says why. */
export class Reloader {
  readonly #deps: ReloaderDeps;
  readonly #counts = { succeeded: 0, failed: 0, unchanged: 0 };
  #inForce: InForce;
  #last: { readonly cause: ReloadCause; readonly result: ReloadResult } | undefined;
  #running: Promise<ReloadResult> | undefined;
  #next: Promise<ReloadResult> | undefined;

  constructor(deps: ReloaderDeps) {
    this.#deps = deps;
    this.#inForce = deps.before;
  }

  get counts(): ReloadCounts {
    return this.#counts;
  }

  /** The last reload that ended; undefined before the first. */
  get last(): { readonly cause: ReloadCause; readonly result: ReloadResult } | undefined {
    return this.#last;
  }

  /** The last good plan; of the control plane's settings those that hold, whatever the file says by now. */
  get inForce(): InForce {
    return this.#inForce;
  }

  /**
   * Reads the config and puts it in force. One at a time: calls during one share the next, since the one under way may
   * have read the file before the caller wrote it. Never rejects for what the config holds or for what `apply` says.
   */
  reload(cause: ReloadCause): Promise<ReloadResult> {
    if (this.#next !== undefined) return this.#next;
    if (this.#running === undefined) return this.#start(cause);
    const again = (): Promise<ReloadResult> => {
      this.#next = undefined;
      return this.#start(cause);
    };
    this.#next = this.#running.then(again, again);
    return this.#next;
  }

  #start(cause: ReloadCause): Promise<ReloadResult> {
    const running = this.#run(cause).finally(() => {
      this.#running = undefined;
    });
    this.#running = running;
    return running;
  }

  async #run(cause: ReloadCause): Promise<ReloadResult> {
    const result = await this.#attempt();
    this.#last = { cause, result };
    this.#count(result);
    this.#say(cause, result);
    return result;
  }

  async #attempt(): Promise<ReloadResult> {
    const loaded = await this.#load();
    if (!loaded.ok) return loaded;
    let planned: readonly PlanChange[];
    try {
      planned = await this.#deps.apply(loaded.plan);
    } catch (error) {
      return this.#refuse(`config: ${listenProblem(error)}`);
    }
    const { control } = this.#inForce;
    const changes = [...planned, ...settingChanges(control, loaded.control)];
    const { drain, log, accessLog, tracing } = loaded.control;
    this.#inForce = { plan: loaded.plan, control: { ...control, drain, log, accessLog, tracing } };
    this.#deps.onApplied?.(loaded);
    return { ok: true, changes };
  }

  /** The config, or a failure that has been logged. */
  async #load(): Promise<GoodConfig | Extract<ReloadResult, { readonly ok: false }>> {
    const { load, log } = this.#deps;
    let loaded: LoadedConfig;
    try {
      loaded = await load();
    } catch (error) {
      return this.#refuse(
        `config: cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
    const problems = loaded.ok ? loaded.warnings : loaded.problems;
    for (const problem of problems)
      log(problem.severity === 'warning' ? 'warn' : 'error', formatProblem(problem));
    return loaded.ok ? loaded : { ok: false, problems: problems.map(formatProblem) };
  }

  #refuse(problem: string): Extract<ReloadResult, { readonly ok: false }> {
    this.#deps.log('error', problem);
    return { ok: false, problems: [problem] };
  }

  #count(result: ReloadResult): void {
    if (!result.ok) this.#counts.failed += 1;
    else if (result.changes.length === 0) this.#counts.unchanged += 1;
    else this.#counts.succeeded += 1;
  }

  #say(cause: ReloadCause, result: ReloadResult): void {
    const { log } = this.#deps;
    if (!result.ok) {
      log('error', `config: not reloaded (${cause}): the one in force stays`);
    } else if (result.changes.length === 0) {
      log('info', 'config: nothing changed');
    } else {
      const { length } = result.changes;
      log('info', `config: reloaded (${cause}): ${length} change${length === 1 ? '' : 's'}`);
      for (const change of result.changes.slice(0, MOST_LINES))
        log('info', `config: ${formatPlanChange(change)}`);
      if (length > MOST_LINES) log('info', `config: and ${length - MOST_LINES} more`);
    }
  }
}
