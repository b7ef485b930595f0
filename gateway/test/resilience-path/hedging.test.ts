import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { RetryPlan } from '../../src/data/plan.ts';
import { eventually } from '../relay/gateway-in-test.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { EJECTION, retryPlan } from '../support/plans.ts';
import { EAGER, GET, type Path, type PathOptions, refTo, sending, startPath } from './path-stage.ts';
import { type Asked, answer, type Behaviour, failing, hang, ok, reset } from './scripted-backend.ts';

interface Race extends Path {
  readonly clock: ManualClock;
  /** Requests in the order they reached any backend. */
  readonly inOrder: readonly Asked[];
  /** Waits until so many have come, moving time on until the hedge is due. */
  hedged(): Promise<readonly [first: Asked, second: Asked]>;
}

const AFTER: Partial<RetryPlan> = { attempts: 0, hedge: { kind: 'after', afterMs: 30 } };

/** Backends that answer when the test says so; on virtual time. */
async function startRace(
  t: TestContext,
  retry: Partial<RetryPlan> = AFTER,
  service: PathOptions['service'] = {},
  backends = 2,
): Promise<Race> {
  const clock = new ManualClock();
  const inOrder: Asked[] = [];
  const keep: Behaviour = (asked) => void inOrder.push(asked);
  const path = await startPath(
    t,
    Array.from({ length: backends }, () => keep),
    { clock, service: { retry: retryPlan(retry), ejection: EJECTION, ...service } },
  );
  const hedged = async (): Promise<readonly [Asked, Asked]> => {
    await eventually(() => inOrder.length === 1);
    clock.advance(50);
    await eventually(() => inOrder.length === 2);
    const [first, second] = inOrder;
    assert.ok(first !== undefined && second !== undefined);
    assert.notEqual(first.connection, second.connection);
    return [first, second];
  };
  return Object.assign(path, { clock, inOrder, hedged });
}

const closed = ({ connection }: Asked) => eventually(() => connection.ended || connection.closed);
const sum = ({ counts }: Path): number => counts.reduce((all, count) => all + count, 0);

test('an answer within the time is the only attempt', async (t) => {
  const retry = retryPlan({ hedge: { kind: 'after', afterMs: 60_000 } });
  const path = await startPath(t, [ok, ok], { service: { retry } });
  assert.equal((await path.ask()).status, 200);
  assert.equal(sum(path), 1);
  assert.deepEqual(path.waitsMs, [60_000]);
  assert.deepEqual(path.retries, {});
  await path.quiet();
});

test('after a fixed time, and not before, a second backend is asked; the one that answers first wins', async (t) => {
  let turn = 0;
  const behave: Behaviour = (asked) => (turn++ === 0 ? hang(asked) : ok(asked));
  const path = await startPath(t, [behave, behave], { service: { retry: retryPlan(AFTER) } });
  const startedMs = performance.now();
  assert.equal((await path.ask()).status, 200);
  assert.ok(performance.now() - startedMs >= 29);
  assert.deepEqual([...path.counts].sort(), [1, 1]);
  assert.deepEqual(path.waitsMs, [30]);
  assert.deepEqual(path.retries, { 'hedge retried': 1 });
  const { attempts, replays, status } = path.exchanges[0] ?? {};
  assert.deepEqual({ attempts, replays, status }, { attempts: 2, replays: 0, status: 200 });
  await path.quiet();
});

test('the hedge answers first: the first attempt is cancelled, and nobody has failed', async (t) => {
  const path = await startRace(t);
  const reply = path.ask();
  const [first, second] = await path.hedged();
  assert.equal(
    path.service.backends.reduce((all, { pending }) => all + pending, 0),
    2,
  );
  answer(second, 200, 'second');
  assert.equal((await reply).body, 'second');
  await closed(first);
  assert.equal(second.connection.closed, false, 'the winner is kept');
  assert.deepEqual(path.events, []);
  await path.quiet();
});

test('the first attempt answers first: the hedge is cancelled', async (t) => {
  const path = await startRace(t);
  const reply = path.ask();
  const [first, second] = await path.hedged();
  answer(first, 200, 'first');
  assert.equal((await reply).body, 'first');
  await closed(second);
  assert.equal(first.connection.closed, false);
  await path.quiet();
});

test('after a percentile of what is known; as long as nothing is, never', async (t) => {
  const path = await startRace(t, { attempts: 0, hedge: { kind: 'percentile', percentile: 90 } });
  const behave: Behaviour = (asked) => {
    path.clock.advance(sum(path) % 10 === 0 ? 40 : 10);
    ok(asked);
  };
  for (const server of path.servers) server.behave = behave;
  for (let i = 0; i < 50; i++) assert.equal((await path.ask()).status, 200);
  assert.deepEqual(path.waitsMs, []);
  path.clock.advance(200);
  for (const server of path.servers) server.behave = (asked) => void (path.inOrder as Asked[]).push(asked);
  const reply = path.ask();
  const [, second] = await path.hedged();
  const [waitMs = 0] = path.waitsMs;
  assert.ok(waitMs > 9 && waitMs < 45, `${waitMs}`);
  answer(second, 200, 'second');
  assert.equal((await reply).body, 'second');
  await path.quiet();
});

test('what a hedge cut short counts as slow, or the percentile would fall with every hedge', async (t) => {
  const hedge = { kind: 'percentile', percentile: 50 } as const;
  const path = await startRace(
    t,
    { attempts: 0, hedge },
    { retryBudget: { percent: 100, minPerSecond: 100 } },
  );
  const slow: Behaviour = (asked) => {
    path.clock.advance(20);
    ok(asked);
  };
  for (const server of path.servers) server.behave = slow;
  for (let i = 0; i < 50; i++) await path.ask();
  let turn = 0;
  // every second request hangs at first, and its hedge is quick
  for (const server of path.servers) {
    server.behave = (asked) => {
      if (turn++ % 2 === 1) ok(asked);
    };
  }
  for (let i = 0; i < 100; i++) {
    const reply = path.ask();
    await eventually(() => turn === 2 * i + 1);
    path.clock.advance(50);
    await reply;
  }
  assert.ok((path.service.latencies?.read(60) ?? 0) >= 19, `${path.service.latencies?.read(60)}`);
  await path.quiet();
});

test('the first attempt fails while the hedge is under way: the hedge is the answer', async (t) => {
  const path = await startRace(t);
  const reply = path.ask();
  const [first, second] = await path.hedged();
  reset(first);
  await eventually(() => path.service.backends.reduce((all, { pending }) => all + pending, 0) === 1);
  answer(second, 200, 'second');
  assert.equal((await reply).body, 'second');
  await path.quiet();
});

test('the hedge fails: the first attempt is the answer', async (t) => {
  for (const fails of [reset, failing(503), failing(500)]) {
    const path = await startRace(t);
    const reply = path.ask();
    const [first, second] = await path.hedged();
    fails(second);
    await eventually(() => path.service.backends.reduce((all, { pending }) => all + pending, 0) === 1);
    answer(first, 200, 'first');
    assert.equal((await reply).body, 'first');
    assert.equal(path.exchanges.length, 1);
    await path.quiet();
  }
});

test('the hedge is refused a connection: the first attempt is the answer', async (t) => {
  const path = await startRace(t);
  const reply = path.ask();
  await eventually(() => path.inOrder.length === 1);
  await path.servers.find(({ asked }) => asked.length === 0)?.stop();
  path.clock.advance(50);
  await eventually(() => path.events.some(({ kind }) => kind === 'connect-failed'));
  for (const asked of path.inOrder) answer(asked, 200, 'first');
  assert.equal((await reply).body, 'first');
  await path.quiet();
});

test('both fail: the failure is the answer, and retries go on from there, to backends that had neither', async (t) => {
  for (const attempts of [0, 1, 2]) {
    const path = await startRace(t, { ...AFTER, attempts, backoffMs: 1 }, {}, 3);
    const reply = path.ask();
    const [first, second] = await path.hedged();
    reset(first);
    await eventually(() => path.service.backends.reduce((all, { pending }) => all + pending, 0) === 1);
    reset(second);
    if (attempts < 2) assert.equal((await reply).status, 502);
    else {
      await eventually(() => path.retries['reset retried'] === 1);
      path.clock.advance(50);
      await eventually(() => path.inOrder.length === 3);
      assert.deepEqual([...path.counts], [1, 1, 1]);
      const [, , third] = path.inOrder;
      assert.ok(third !== undefined);
      answer(third, 200, 'third');
      assert.equal((await reply).body, 'third');
    }
    await path.quiet();
  }
});

test('both fail, and there is no third: neither is asked again', async (t) => {
  const path = await startRace(t, { ...AFTER, attempts: 5 });
  const reply = path.ask();
  const [first, second] = await path.hedged();
  reset(first);
  await eventually(() => path.service.backends.reduce((all, { pending }) => all + pending, 0) === 1);
  reset(second);
  assert.equal((await reply).status, 502);
  assert.deepEqual(path.counts, [1, 1]);
  assert.deepEqual(path.retries, { 'hedge retried': 1, 'reset no_other_backend': 1 });
  await path.quiet();
});

test('both hang: the client is told so when the time is over', async (t) => {
  const path = await startRace(t, { ...AFTER, perTryTimeoutMs: 500 });
  const reply = path.ask();
  await path.hedged();
  path.clock.advance(700);
  path.clock.advance(700);
  assert.equal((await reply).status, 504);
  await path.quiet();
});

test('the first attempt fails while the hedge waits for a connection: the hedge is the answer all the same', async (t) => {
  const pool = { maxConnections: 1, maxQueue: 8, queueTimeoutMs: 60_000 };
  const path = await startRace(t, AFTER, {
    pool: { ...pool, idleTimeoutMs: 4_000, maxRequests: 1_000, maxAgeMs: 60_000 },
  });
  path.data.setAdmin(refTo(path, 0), 'draining');
  const occupying = path.ask(sending('POST', 'x'));
  await eventually(() => path.inOrder.length === 1);
  path.data.setAdmin(refTo(path, 1), 'draining');
  path.data.setAdmin(refTo(path, 0), 'enabled');
  const reply = path.ask();
  await eventually(() => path.inOrder.length === 2);
  path.data.setAdmin(refTo(path, 1), 'enabled');
  path.clock.advance(50);
  await eventually(() => path.status().backends[1]?.pool.queued === 1);
  const [occupier, first] = path.inOrder;
  assert.ok(occupier !== undefined && first !== undefined);
  reset(first);
  await eventually(() => path.status().backends[0]?.pending === 0);
  answer(occupier, 200, 'x');
  await eventually(() => path.inOrder.length === 3);
  const [, , hedge] = path.inOrder;
  assert.ok(hedge !== undefined);
  answer(hedge, 200, 'hedge');
  assert.equal((await reply).body, 'hedge');
  await occupying;
  await path.quiet();
});

test('a client that leaves takes both with it', async (t) => {
  const path = await startRace(t);
  const client = await path.client();
  client.send(GET);
  const both = await path.hedged();
  client.socket.resetAndDestroy();
  for (const asked of both) await closed(asked);
  assert.equal(path.exchanges[0]?.failure, 'client_left');
  assert.deepEqual(path.events, []);
  await path.quiet();
});

test('only one hedge, however long it takes', async (t) => {
  const path = await startRace(t, AFTER, {}, 4);
  const reply = path.ask();
  const [first] = await path.hedged();
  path.clock.advance(5_000);
  await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(sum(path), 2);
  answer(first, 200, 'first');
  await reply;
  await path.quiet();
});

test('without budget, or without another backend, there is none, and that is counted', async (t) => {
  for (const [backends, minPerSecond, outcome] of [
    [2, 0, 'budget'],
    [1, 5, 'no_other_backend'],
  ] as const) {
    const path = await startRace(t, AFTER, { retryBudget: { percent: 0, minPerSecond } }, backends);
    const reply = path.ask();
    await eventually(() => path.inOrder.length === 1);
    path.clock.advance(50);
    assert.deepEqual(path.retries, { [`hedge ${outcome}`]: 1 });
    assert.equal(sum(path), 1);
    for (const asked of path.inOrder) answer(asked, 200, 'first');
    assert.equal((await reply).body, 'first');
    await path.quiet();
  }
});

test('POST is never hedged; PUT is, with its body; POST where the operator says so', async (t) => {
  for (const [method, nonIdempotent, requests] of [
    ['POST', false, 1],
    ['PUT', false, 2],
    ['POST', true, 2],
  ] as const) {
    const path = await startRace(t, { ...AFTER, nonIdempotent });
    const reply = path.ask(sending(method, 'body'));
    await eventually(() => path.inOrder.length === 1);
    path.clock.advance(50);
    if (requests === 2) await eventually(() => path.inOrder.length === 2);
    await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepEqual(
      path.inOrder.map(({ body }) => body),
      Array.from({ length: requests }, () => 'body'),
    );
    for (const asked of path.inOrder) answer(asked, 200, 'done');
    assert.equal((await reply).body, 'done');
    await path.quiet();
  }
});

test('an upload that is still arriving is not hedged', async (t) => {
  const path = await startRace(t);
  const client = await path.client();
  client.send('PUT / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbo');
  await eventually(() => path.status().backends.some(({ pool }) => pool.active === 1));
  path.clock.advance(200);
  client.send('dy');
  await eventually(() => path.inOrder.length === 1);
  path.clock.advance(200);
  assert.equal(sum(path), 1);
  for (const asked of path.inOrder) answer(asked, 200, 'done');
  assert.match(await client.end(), /done$/);
  await path.quiet();
});

test('a kept connection that dies under a hedge is held against nobody', async (t) => {
  const path = await startRace(t, AFTER, {
    ejection: { ...EJECTION, consecutiveFailures: 1 },
    balance: { kind: 'round-robin' },
  });
  for (const server of path.servers) server.behave = ok;
  await Promise.all(Array.from({ length: 6 }, () => path.ask()));
  for (const server of path.servers) server.behave = (asked) => void (path.inOrder as Asked[]).push(asked);
  assert.ok(path.status().backends.every(({ pool }) => pool.idle > 0));
  const reply = path.ask();
  const [first, second] = await path.hedged();
  second.connection.socket.resetAndDestroy();
  await eventually(() => path.status().backends.reduce((all, { pending }) => all + pending, 0) === 1);
  answer(first, 200, 'first');
  await reply;
  assert.deepEqual(path.events, []);
  await path.quiet();
});

test('retries and hedges together, with backends of every kind', async (t) => {
  let turn = 0;
  const kinds: readonly Behaviour[] = [ok, reset, ok, failing(503), ok, hang, ok];
  const behave: Behaviour = (asked) => kinds[turn++ % kinds.length]?.(asked);
  const path = await startPath(t, [behave, behave, behave], {
    service: {
      retry: { ...EAGER, attempts: 3, hedge: { kind: 'after', afterMs: 15 }, perTryTimeoutMs: 150 },
      retryBudget: { percent: 100, minPerSecond: 100 },
    },
  });
  const replies = await Promise.all(Array.from({ length: 40 }, () => path.ask()));
  assert.equal(replies.length, 40);
  assert.ok(replies.some(({ status }) => status === 200));
  assert.ok(replies.every(({ status }) => status > 0));
  assert.equal(path.exchanges.length, 40);
  await path.quiet();
});
