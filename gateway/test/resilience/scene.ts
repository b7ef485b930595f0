import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { ChildBackend } from './child-backend.ts';
import { ChildGateway } from './child-gateway.ts';
import { Ledger } from './ledger.ts';
import { type FailedRequest, SteadyLoad } from './steady-load.ts';

/** Each scenario is played so many times over. */
export const ROUNDS = 5;
/** Requests between two events, at least. */
export const SOME = 60;

export interface ConfigOptions {
  readonly backends: readonly ChildBackend[];
  readonly redisUrl?: string;
  /** What its probes call it. */
  readonly prober?: string;
  readonly service?: object;
}

/** How backends are probed by a gateway that calls itself `prober`. */
export function healthOf(prober = 'gateway'): object {
  return { path: '/health', interval: '300ms', timeout: '300ms', headers: { 'x-prober': prober } };
}

/** The defaults, but with short times, so that what goes out comes back soon. */
export function configOf({ backends, redisUrl, prober, service = {} }: ConfigOptions): object {
  return {
    listeners: [{ address: '127.0.0.1:0' }],
    admin: { address: '127.0.0.1:0' },
    drain: { timeout: '1s' },
    ...(redisUrl === undefined ? {} : { redis: { url: redisUrl } }),
    services: {
      web: {
        backends: backends.map(({ name }) => `http://${name}`),
        timeouts: { connect: '1s', head: '1s' },
        health: healthOf(prober),
        ejection: { baseTime: '500ms', maxTime: '1s' },
        breaker: { openTime: '500ms', maxOpenTime: '1s' },
        slowStart: '500ms',
        ...service,
      },
    },
    routes: [{ path: '/', service: 'web' }],
  };
}

/** Whether POSTs may be lost of which something was sent: where backends break off what they have begun. */
export type Allowed = 'lose posts' | 'lose nothing';

export interface Scene {
  readonly backends: readonly ChildBackend[];
  readonly gateway: ChildGateway;
  readonly load: SteadyLoad;
  readonly ledger: Ledger;
  /** Ends the load and looks whether anything was lost or done twice. */
  finish(may?: Allowed): Promise<void>;
}

export interface SceneOptions {
  readonly backends?: number;
  readonly redisUrl?: string;
  /** What its service says over the usual. */
  readonly service?: object;
}

/** A gateway with its backends, under load. */
export async function setScene(t: TestContext, options: SceneOptions = {}): Promise<Scene> {
  const ledger = new Ledger(t);
  const { backends: count = 3, ...others } = options;
  const backends = await startBackends(t, ledger, count);
  const gateway = await ChildGateway.start(t, configOf({ backends, ...others }));
  const load = startLoad(t, gateway);
  await load.more(SOME);
  return {
    backends,
    gateway,
    load,
    ledger,
    finish: (may) => finish(t, { gateway, load, ledger }, may),
  };
}

/** At the usual load each has two or three requests under way at any time, which are what a failure hits. */
export function startBackends(
  t: TestContext,
  ledger: Ledger,
  count: number,
  delayMs = 20,
): Promise<ChildBackend[]> {
  return Promise.all(Array.from({ length: count }, () => ChildBackend.start(t, ledger, delayMs)));
}

export function startLoad(t: TestContext, { port }: ChildGateway): SteadyLoad {
  const load = new SteadyLoad({ port });
  t.after(() => load.stop());
  return load;
}

/** Failures after something was sent: what may not be sent twice is lost then. */
const AFTER_SENDING: ReadonlySet<string> = new Set(['backend_closed', 'response_timeout']);

export async function finish(
  t: TestContext,
  { gateway, load, ledger }: Pick<Scene, 'gateway' | 'load' | 'ledger'>,
  may: Allowed = 'lose nothing',
): Promise<void> {
  await load.stop();
  const { failures, posted } = load;
  const lost = failures.filter(
    ({ method, code }) => may === 'lose nothing' || method !== 'POST' || !AFTER_SENDING.has(code),
  );
  assert.deepEqual(
    lost,
    [],
    `${lost.length} of ${load.answered} failed; the gateway said:\n${gateway.tail()}`,
  );
  const times = ledger.read();
  assert.deepEqual(
    [...times].filter(([, count]) => count > 1),
    [],
    'POSTs were carried out twice',
  );
  assert.deepEqual(
    posted.filter((id) => !times.has(id)),
    [],
    'POSTs were answered but not carried out',
  );
  t.diagnostic(
    `${load.answered} requests; of ${posted.length + failures.length} POSTs ${failures.length} lost ${codes(failures)}`,
  );
}

function codes(failures: readonly FailedRequest[]): string {
  return [...new Set(failures.map(({ code }) => code))].join(' ');
}
