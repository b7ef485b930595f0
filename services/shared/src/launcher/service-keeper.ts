import type { ChildOptions } from './child.ts';
import { Child } from './child.ts';
import type { Instance } from './demo-map.ts';
import { untilHealthy } from './health.ts';

const RESTART_AFTER_MS = 1_000;
/** A little over the 5 s after which a service ends by itself, so that it is its own deadline that counts. */
const STOP_DEADLINE_MS = 6_000;

type State =
  | { readonly kind: 'running'; readonly child: Child }
  | { readonly kind: 'waiting'; readonly timer: NodeJS.Timeout }
  | { readonly kind: 'stopped' };

export interface KeeperOptions {
  readonly instance: Instance;
  readonly entry: string;
  readonly env: ChildOptions['env'];
  readonly say: (line: string) => void;
}

/** Keeps one service instance running: one that ends by itself is started again after a second. */
export class ServiceKeeper {
  readonly instance: Instance;
  readonly #options: KeeperOptions;
  #state: State;
  #child: Child | undefined;

  constructor(options: KeeperOptions) {
    this.instance = options.instance;
    this.#options = options;
    this.#state = this.#run();
  }

  /** Resolves when the instance answers its health check; throws the signal's reason when that comes first. */
  untilHealthy(signal: AbortSignal): Promise<void> {
    return untilHealthy(this.instance.port, signal);
  }

  /** Ends the instance for good; resolves when its process is gone. */
  async stop(): Promise<void> {
    const before = this.#state;
    this.#state = { kind: 'stopped' };
    if (before.kind === 'waiting') clearTimeout(before.timer);
    if (before.kind !== 'running' || (await before.child.stop(STOP_DEADLINE_MS))) return;
    this.#options.say(`${this.instance.label} did not stop in ${STOP_DEADLINE_MS / 1_000} s and was killed`);
  }

  /** For those who cannot wait for a stop under way. */
  kill(): void {
    this.#child?.kill();
  }

  #run(): State {
    const { instance, entry, env, say } = this.#options;
    const onLine = (line: string) => say(`[${instance.label}] ${line}`);
    const child = new Child({ entry, args: [], env, onLine });
    this.#child = child;
    child.exited.then(({ how }) => {
      if (this.#state.kind !== 'running') return;
      say(`${instance.label} ${how}; starting it again in ${RESTART_AFTER_MS / 1_000} s`);
      const timer = setTimeout(() => {
        this.#state = this.#run();
      }, RESTART_AFTER_MS);
      this.#state = { kind: 'waiting', timer };
    });
    return { kind: 'running', child };
  }
}
