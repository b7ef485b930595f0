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

/** The defaults, but with short times, so that what goes out comes back soon. */
export function configOf({ backends, redisUrl, prober = 'gateway', service = {} }: ConfigOptions): object {
  const health = { path: '/health', interval: '250ms', timeout: '500ms', headers: { 'x-prober': prober } };
  return {
    listeners: [{ address: '127.0.0.1:0' }],
    admin: { address: '127.0.0.1:0' },
    drain: { timeout: '1s' },
    ...(redisUrl === undefined ? {} : { redis: { url: redisUrl } }),
    services: {
      web: {
        backends: backends.map(({ name }) => `http://${name}`),
        timeouts: { connect: '1s', head: '1s' },
        health,
        ejection: { baseTime: '500ms', maxTime: '1s' },
        breaker: { openTime: '500ms', maxOpenTime: '1s' },
        slowStart: '500ms',
        ...service,
      },
    },
    routes: [{ path: '/', service: 'web' }],
  };
}

export interface Scene {
  readonly backends: readonly ChildBackend[];
  readonly gateway: ChildGateway;
  readonly load: SteadyLoad;
  readonly ledger: Ledger;
  /** Ends the load and looks whether anything was lost or done twice. */
  finish(): Promise<void>;
}

export interface SceneOptions {
  readonly backends?: number;
  readonly perSecond?: number;
  readonly redisUrl?: string;
}

/** A gateway with its backends, under load. */
export async function setScene(t: TestContext, options: SceneOptions = {}): Promise<Scene> {
  const ledger = new Ledger(t);
  const backends = await startBackends(t, ledger, options.backends ?? 3);
  const gateway = await ChildGateway.start(t, configOf({ backends, ...options, ...{ backends } }));
  const load = startLoad(t, gateway, options.perSecond);
  await load.more(SOME);
  return {
    backends,
    gateway,
    load,
    ledger,
    finish: () => finish(t, { gateway, load, ledger }),
  };
}

export function startBackends(t: TestContext, ledger: Ledger, count: number): Promise<ChildBackend[]> {
  return Promise.all(Array.from({ length: count }, () => ChildBackend.start(t, ledger)));
}

export function startLoad(t: TestContext, { port }: ChildGateway, perSecond = 400): SteadyLoad {
  const load = new SteadyLoad({ port, perSecond });
  t.after(() => load.stop());
  return load;
}

/** A failure that these name came after something was sent: what may not be sent twice is lost then. */
const AFTER_SENDING: ReadonlySet<string> = new Set(['backend_closed', 'response_timeout']);

export async function finish(
  t: TestContext,
  { gateway, load, ledger }: Pick<Scene, 'gateway' | 'load' | 'ledger'>,
): Promise<void> {
  await load.stop();
  const { failures, posted } = load;
  const lost = failures.filter(({ method, code }) => method !== 'POST' || !AFTER_SENDING.has(code));
  assert.deepEqual(lost, [], `${lost.length} of ${load.answered} failed; the gateway said:\n${gateway.tail()}`);
  const times = ledger.read();
  assert.deepEqual([...times].filter(([, count]) => count > 1), [], 'POSTs were carried out twice');
  assert.deepEqual(posted.filter((id) => !times.has(id)), [], 'POSTs were answered but not carried out');
  t.diagnostic(`${load.answered} requests, ${posted.length} POSTs answered, ${failures.length} POSTs lost ${codes(failures)}`);
}

function codes(failures: readonly FailedRequest[]): string {
  return [...new Set(failures.map(({ code }) => code))].join(' ');
}
