import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ServicePlan } from '../../src/data/plan.ts';
import { eventually } from '../relay/gateway-in-test.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { BREAKER, EJECTION } from '../support/plans.ts';
import { EAGER, type Path, type Reply, replyOf, startPath } from './path-stage.ts';
import { type Asked, answer, type Behaviour, hang, reset } from './scripted-backend.ts';

/** Everything that can be switched on is. */
const EVERYTHING: Partial<ServicePlan> = {
  retry: { ...EAGER, perTryTimeoutMs: 500, backoffMs: 50, hedge: { kind: 'after', afterMs: 100 } },
  retryBudget: { percent: 50, minPerSecond: 2 },
  ejection: {
    ...EJECTION,
    consecutiveFailures: 2,
    minRequests: 6,
    baseMs: 1_000,
    maxMs: 5_000,
    maxPercent: 70,
  },
  breaker: { ...BREAKER, minRequests: 4, openMs: 1_000, maxOpenMs: 5_000, slowCallMs: 200, slowPercent: 60 },
  slowStartMs: 2_000,
  concurrency: { max: 6, queue: 4, queueTimeoutMs: 600, adaptive: true },
  timeouts: { connectMs: 1_000, headMs: 2_000, idleMs: 2_000, totalMs: 5_000, eventStreamMs: 300_000 },
  pool: {
    maxConnections: 3,
    maxQueue: 4,
    queueTimeoutMs: 500,
    idleTimeoutMs: 1_000,
    maxRequests: 7,
    maxAgeMs: 60_000,
  },
};

type Does = 'ok' | 'reset' | 'close' | 'hang' | 'busy' | 'error' | 'slow' | 'half';
type Client = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'HEAD';
  readonly leaves: boolean;
  readonly afterMs: number;
};
interface Wave {
  readonly does: readonly Does[];
  /** Backends nobody listens at. */
  readonly down: readonly number[];
  readonly clients: readonly Client[];
}

const wave: fc.Arbitrary<Wave> = fc.record({
  does: fc.array(
    fc.constantFrom<Does>('ok', 'ok', 'ok', 'reset', 'close', 'hang', 'busy', 'error', 'slow', 'half'),
    { minLength: 1, maxLength: 12 },
  ),
  down: fc.uniqueArray(fc.integer({ min: 0, max: 2 }), { maxLength: 2 }),
  clients: fc.array(
    fc.record({
      method: fc.constantFrom('GET', 'GET', 'POST', 'PUT', 'HEAD'),
      leaves: fc.boolean(),
      afterMs: fc.integer({ min: 0, max: 12 }),
    }),
    { minLength: 1, maxLength: 14 },
  ),
});

/** Answers with what was asked, so that no answer can pass for another's. */
const echo: Behaviour = (asked) => answer(asked, 200, `${asked.target} ${asked.body}`);

const DOES: Readonly<Record<Does, Behaviour>> = {
  ok: echo,
  reset,
  close: ({ connection }) => connection.socket.end(),
  hang,
  busy: (asked) => answer(asked, 503, 'busy', 'Retry-After: 1\r\n'),
  error: (asked) => answer(asked, 500, 'error'),
  slow: (asked) => void setTimeout(() => echo(asked), 6).unref(),
  half: ({ connection }) => connection.socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'),
};

class Run {
  readonly #path: Path;
  readonly stayed: string[] = [];
  readonly left: string[] = [];

  constructor(path: Path) {
    this.#path = path;
  }

  async wave({ does, down, clients }: Wave): Promise<void> {
    const { servers } = this.#path;
    let turn = 0;
    const behave = (asked: Asked): void => DOES[does[turn++ % does.length] ?? 'ok'](asked);
    for (const server of servers) server.behave = behave;
    await Promise.all(down.map((index) => servers[index]?.stop()));
    await Promise.all(clients.map((client) => this.#client(client)));
    await Promise.all(down.map((index) => servers[index]?.restart()));
  }

  async #client({ method, leaves, afterMs }: Client): Promise<void> {
    const target = `/${this.stayed.length + this.left.length}`;
    (leaves ? this.left : this.stayed).push(target);
    const client = await this.#path.client();
    const length = method === 'POST' || method === 'PUT' ? 'Content-Length: 4\r\n' : '';
    const head = `${method} ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${length}\r\n`;
    client.send(length === '' ? head : `${head}body`);
    if (leaves) {
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      client.socket.resetAndDestroy();
      return;
    }
    await eventually(() => client.closed || client.ended);
    if (client.error !== undefined) return;
    this.#check(replyOf(client.received), method, target);
  }

  #check({ status, head, body }: Reply, method: string, target: string): void {
    const context = `${method} ${target}: ${head}`;
    assert.ok([200, 500, 502, 503, 504].includes(status), context);
    if (status !== 200 || method === 'HEAD') return;
    const whole = `${target} ${method === 'GET' ? '' : 'body'}`;
    if (body !== 'half') assert.equal(body, whole, context);
  }

  checkExchanges(): void {
    const { exchanges, servers } = this.#path;
    const times = (list: readonly string[], one: string): number =>
      list.filter((other) => other === one).length;
    const ended = exchanges.map(({ path }) => path);
    for (const target of this.stayed) assert.equal(times(ended, target), 1, `${target} ended`);
    for (const target of this.left) assert.ok(times(ended, target) <= 1, `${target} ended`);
    const posts = servers.flatMap(({ asked }) => asked.filter(({ method }) => method === 'POST'));
    const targets = posts.map(({ target }) => target);
    assert.equal(new Set(targets).size, targets.length, 'a POST was executed twice');
  }
}

test('whatever backends and clients do, every exchange ends once, nothing is left, and no POST is made twice', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(wave, { minLength: 1, maxLength: 5 }), async (waves) => {
      const clock = new ManualClock();
      const path = await startPath(t, [echo, echo, echo], { clock, service: EVERYTHING });
      // a second takes twenty milliseconds
      const pump = setInterval(() => clock.advance(50), 1);
      try {
        const run = new Run(path);
        for (const one of waves) await run.wave(one);
        for (const server of path.servers) server.behave = echo;
        await eventually(() => path.exchanges.filter(({ ended }) => ended).length >= run.stayed.length);
        await path.quiet();
        run.checkExchanges();
        const { retryBudgetRemaining, backends } = path.status();
        assert.ok(retryBudgetRemaining >= 0);
        assert.ok(backends.some(({ excludedBy }) => excludedBy !== 'ejection'));
        clearInterval(pump);
        clock.advance(20_000);
        assert.equal(
          (await path.ask('GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')).status,
          200,
        );
        await path.quiet();
      } finally {
        clearInterval(pump);
        path.data.destroy();
        await Promise.all(path.servers.map((server) => server.stop()));
      }
    }),
    { numRuns: 25, interruptAfterTimeLimit: 20_000 },
  );
});
