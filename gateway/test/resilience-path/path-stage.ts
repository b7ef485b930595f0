import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { DataPlane } from '../../src/data/data-plane.ts';
import type { Exchange } from '../../src/data/exchange.ts';
import type { ServicePlan } from '../../src/data/plan.ts';
import type { BackendStatus, DataEvent, ServiceStatus } from '../../src/data/port.ts';
import type { Service } from '../../src/data/service.ts';
import { type Clock, type Random, systemClock } from '../../src/time.ts';
import { eventually } from '../relay/gateway-in-test.ts';
import { plan, retryPlan } from '../support/plans.ts';
import { RawClient } from '../support/raw-client.ts';
import { type Behaviour, ScriptedBackend } from './scripted-backend.ts';

export interface PathOptions {
  readonly service?: Partial<ServicePlan>;
  readonly route?: NonNullable<Parameters<typeof plan>[1]>['route'];
  readonly clock?: Clock;
  readonly random?: Random;
  readonly explainTokenSha256?: string;
}

/**
 * The data plane before scripted backends, on real sockets. There is no control plane: what probes and operators say, a
 * test says through the port.
 */
export interface Path {
  readonly data: DataPlane;
  readonly port: number;
  readonly servers: readonly ScriptedBackend[];
  readonly exchanges: readonly Exchange[];
  readonly events: readonly DataEvent[];
  readonly service: Service;
  /** The length of each pause, wait for a hedge and the like that was begun. */
  readonly waitsMs: readonly number[];
  status(): ServiceStatus;
  /** Requests that each backend has got so far. */
  readonly counts: readonly number[];
  /** `REASON OUTCOME` of each retry that was decided on, with how often. */
  readonly retries: Readonly<Record<string, number>>;
  client(): Promise<RawClient>;
  /** Sends one request on a connection of its own; the whole answer. */
  ask(request?: string): Promise<Reply>;
  /** Waits until nothing is under way, and sees that nothing is left: no request, place, timer. */
  quiet(): Promise<void>;
}

export interface Reply {
  /** 0: the connection was closed without an answer. */
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

export const GET = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

/** A request with a body, on a connection of its own. */
export function sending(method: string, body: string): string {
  return `${method} / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

/** Two further attempts of everything that may be tried again, with no pause worth waiting for. */
export const EAGER = retryPlan({
  attempts: 2,
  on: ['connect-failure', 'reset', 'timeout', '502', '503', '504'],
  backoffMs: 1,
});

/** A clock that knows how many timers beside those of the wheel are running. */
class CountingClock implements Clock {
  running = 0;
  /** The times that all of them were asked for. */
  readonly intervalsMs: number[] = [];
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  wallNow(): number {
    return this.#clock.wallNow();
  }

  every(intervalMs: number, tick: () => void): () => void {
    const stop = this.#clock.every(intervalMs, tick);
    let stopped = false;
    this.running += 1;
    this.intervalsMs.push(intervalMs);
    return () => {
      if (!stopped) this.running -= 1;
      stopped = true;
      stop();
    };
  }
}

/** Starts one backend for each behaviour, and a gateway before them; all end with the test. */
export async function startPath(
  t: TestContext,
  behaviours: readonly Behaviour[],
  options: PathOptions = {},
): Promise<Path> {
  const servers = await Promise.all(behaviours.map((behave) => ScriptedBackend.start(behave)));
  const exchanges: Exchange[] = [];
  const events: DataEvent[] = [];
  const clock = new CountingClock(options.clock ?? systemClock);
  const { service: servicePlan = {}, route = {}, random = Math.random } = options;
  const ports = servers.map(({ port }) => port);
  const whole = plan(ports, { service: servicePlan, route });
  const data = new DataPlane(
    { ...whole, explainTokenSha256: options.explainTokenSha256 },
    {
      clock,
      random,
      ticketKeys: Buffer.alloc(48),
      observer: {
        exchangeEnded: (exchange) => void exchanges.push(exchange),
        event: (event) => void events.push(event),
      },
    },
  );
  await data.start();
  const [service] = data.services;
  assert.ok(service !== undefined);
  const atRest = clock.running;
  clock.intervalsMs.length = 0;
  const clients: RawClient[] = [];
  t.after(async () => {
    for (const client of clients) client.socket.destroy();
    data.destroy();
    await Promise.all(servers.map((server) => server.stop()));
  });
  const port = data.listeners[0]?.port ?? 0;
  const path: Path = {
    data,
    port,
    servers,
    exchanges,
    events,
    service,
    waitsMs: clock.intervalsMs,
    get counts() {
      return servers.map(({ asked }) => asked.length);
    },
    get retries() {
      return Object.fromEntries(service.retries.byOutcome);
    },
    status() {
      const [status] = data.status().services;
      assert.ok(status !== undefined);
      return status;
    },
    async client() {
      const client = await RawClient.open(port);
      clients.push(client);
      return client;
    },
    async ask(request = GET) {
      return replyOf(await (await path.client()).send(request).end());
    },
    async quiet() {
      for (const client of clients) client.socket.resetAndDestroy();
      await eventually(() => isQuiet(data));
      assert.equal(clock.running, atRest, 'a timer is left');
      for (const limit of [service.limit, ...data.routes.map((one) => one.limit)])
        assert.deepEqual([limit?.inFlight ?? 0, limit?.queued ?? 0], [0, 0], 'a place is left');
      assert.equal(new Set(exchanges).size, exchanges.length, 'an exchange ended twice');
    },
  };
  return path;
}

function isQuiet({ listeners, services }: DataPlane): boolean {
  const backends = services.flatMap((service) => service.backends);
  return (
    listeners.every(({ connections }) => connections === 0) &&
    backends.every(({ agent: { stats } }) => stats.active + stats.connecting + stats.queued === 0) &&
    backends.every(({ pending }) => pending === 0)
  );
}

export function replyOf(text: string): Reply {
  const headEnd = text.indexOf('\r\n\r\n');
  return {
    status: Number(text.slice(9, 12)),
    head: headEnd < 0 ? text : text.slice(0, headEnd),
    body: headEnd < 0 ? '' : text.slice(headEnd + 4),
  };
}

/** The status of a backend by its place in the plan. */
export function backendAt(path: Path, index: number): BackendStatus {
  const backend = path.status().backends[index];
  assert.ok(backend !== undefined);
  return backend;
}

/** What the data plane knows a backend by. */
export function refTo(path: Path, index: number): { readonly service: string; readonly backend: string } {
  return { service: path.service.name, backend: backendAt(path, index).name };
}
