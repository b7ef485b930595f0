import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ChildExit } from './child.ts';
import { Child } from './child.ts';
import type { DemoMap, Instance } from './demo-map.ts';
import { ServiceKeeper } from './service-keeper.ts';

export interface DemoOptions {
  readonly map: DemoMap;
  /** The gateway's main file; started with the argument `start`. */
  readonly gatewayEntry: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly say: (line: string, to?: 'stdout' | 'stderr') => void;
}

/** Its own drain takes up to 25 s. */
const GATEWAY_STOP_DEADLINE_MS = 30_000;
const HEALTHY_DEADLINE_MS = 30_000;

/** All processes of the demo: the services, and the gateway in front of them. */
export class Demo {
  /** Resolves with the code to exit with, when every process is gone and the temporary files are too. */
  readonly ended: Promise<number>;
  readonly #options: DemoOptions;
  readonly #stopping = new AbortController();
  readonly #resolveEnded: (code: number) => void;
  #folder: string | undefined;
  #keepers: readonly ServiceKeeper[] = [];
  #gateway: Child | undefined;

  constructor(options: DemoOptions) {
    this.#options = options;
    const { promise, resolve } = Promise.withResolvers<number>();
    this.ended = promise;
    this.#resolveEnded = resolve;
  }

  /**
   * Starts the services, then the gateway. Resolves with the gateway's URL when everything answers, or with
   * undefined when it was stopped or failed meanwhile: `ended` has the rest.
   */
  async start(): Promise<string | undefined> {
    try {
      this.#folder = await mkdtemp(join(tmpdir(), 'portway-demo-'));
      if (this.#stopping.signal.aborted) return await this.#removeFolder();
      this.#keepers = this.#options.map.instances.map((instance) => this.#keep(instance));
      if (!(await this.#allHealthy())) return undefined;
      return await this.#startGateway();
    } catch (error) {
      this.#options.say(
        `the demo cannot start: ${error instanceof Error ? error.message : String(error)}`,
        'stderr',
      );
      this.stop(1);
      return undefined;
    }
  }

  /** Ends the gateway, then the services, then the temporary files. The first call decides the code. */
  stop(code: number): void {
    if (this.#stopping.signal.aborted) return;
    this.#stopping.abort();
    this.#takeDown().then(
      () => this.#resolveEnded(code),
      (error: unknown) => {
        this.#options.say(String(error), 'stderr');
        this.#resolveEnded(1);
      },
    );
  }

  /** Kills every process at once; the stop under way then has nothing left to wait for. */
  kill(): void {
    this.#gateway?.kill();
    for (const keeper of this.#keepers) keeper.kill();
  }

  async #takeDown(): Promise<void> {
    const { say } = this.#options;
    const gentle = (await this.#gateway?.stop(GATEWAY_STOP_DEADLINE_MS)) ?? true;
    if (!gentle)
      say(`the gateway did not stop in ${GATEWAY_STOP_DEADLINE_MS / 1_000} s and was killed`, 'stderr');
    await Promise.all(this.#keepers.map((keeper) => keeper.stop()));
    await this.#removeFolder();
  }

  async #removeFolder(): Promise<undefined> {
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true, maxRetries: 3 });
  }

  #keep(instance: Instance): ServiceKeeper {
    const { env, say } = this.#options;
    const folder = this.#folder ?? '';
    return new ServiceKeeper({
      instance,
      entry: fileURLToPath(new URL(`../../../${instance.service}/src/main.ts`, import.meta.url)),
      say,
      env: {
        ...env,
        PORT: String(instance.port),
        // some shells export HOST as the machine's name
        HOST: '127.0.0.1',
        INSTANCE: instance.label,
        PORTWAY_DEMO_FOLDER: folder,
        // one for all instances, so that they agree; the user's own is kept when there is one
        DB_FILE: env['DB_FILE'] || join(folder, 'items.sqlite'),
        FILES_DIR: env['FILES_DIR'] || join(folder, 'files'),
      },
    });
  }

  /** False when it was stopped meanwhile. */
  async #allHealthy(): Promise<boolean> {
    const { signal } = this.#stopping;
    const deadline = AbortSignal.timeout(HEALTHY_DEADLINE_MS);
    const late = (keeper: ServiceKeeper) =>
      `${keeper.instance.label} did not answer in ${HEALTHY_DEADLINE_MS / 1_000} s`;
    const healthy = this.#keepers.map(async (keeper) => {
      await keeper.untilHealthy(AbortSignal.any([signal, deadline])).catch(() => {
        if (!signal.aborted) throw new Error(late(keeper));
      });
    });
    await Promise.all(healthy);
    return !signal.aborted;
  }

  async #startGateway(): Promise<string | undefined> {
    const { env, map, gatewayEntry, say } = this.#options;
    const { promise: url, resolve: onUrl } = Promise.withResolvers<string | undefined>();
    const onLine = (line: string, from: 'stdout' | 'stderr') => {
      say(line, from);
      const listening = /listening on (\S+)/.exec(line);
      if (listening !== null) onUrl(listening[1]);
    };
    const gateway = new Child({
      entry: gatewayEntry,
      args: ['start'],
      env: { ...env, ...map.gatewayEnv },
      onLine,
    });
    this.#gateway = gateway;
    gateway.exited.then((exit) => {
      onUrl(undefined);
      this.#onGatewayExit(exit);
    });
    return url;
  }

  #onGatewayExit({ code, how }: ChildExit): void {
    if (this.#stopping.signal.aborted) return;
    this.#options.say(`the gateway ${how}; stopping the services`, 'stderr');
    this.stop(code ?? 1);
  }
}
