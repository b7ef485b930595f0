import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { eventually } from '../relay/gateway-in-test.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { EJECTION, retryPlan } from '../support/plans.ts';
import { EAGER, GET, type Path, type PathOptions, refTo, sending, startPath } from './path-stage.ts';
import { answer, type Behaviour, failing, hang, ok, reset } from './scripted-backend.ts';

/** Whichever backend is asked first does that; what comes after it is answered well. */
function firstAsked(does: Behaviour, times = 1): Behaviour {
  let left = times;
  return (asked) => {
    left -= 1;
    if (left >= 0) does(asked);
    else ok(asked);
  };
}

async function startPair(t: TestContext, behave: Behaviour, options: PathOptions = {}): Promise<Path> {
  return startPath(t, [behave, behave], options);
}

const sum = ({ counts }: Path): number => counts.reduce((all, count) => all + count, 0);
const last = ({ exchanges }: Path) => {
  const { status, failure, attempts, replays, races } = exchanges.at(-1) ?? {};
  return { status, failure, attempts, replays, races };
};

const DONE = { status: 200, failure: undefined, attempts: 2, replays: 1, races: 0 };

test('a reset on a fresh connection: another backend answers', async (t) => {
  const path = await startPair(t, firstAsked(reset));
  assert.deepEqual((await path.ask()).status, 200);
  assert.deepEqual([...path.counts].sort(), [1, 1]);
  assert.deepEqual(last(path), DONE);
  assert.deepEqual(path.retries, { 'reset retried': 1 });
  await path.quiet();
});

test('the per-try timeout cuts off a backend that hangs, and another one answers', async (t) => {
  const clock = new ManualClock();
  const path = await startPair(t, firstAsked(hang), {
    clock,
    service: { retry: { ...EAGER, perTryTimeoutMs: 500 } },
  });
  const reply = path.ask();
  await eventually(() => sum(path) === 1);
  clock.advance(450);
  assert.equal(sum(path), 1);
  clock.advance(200);
  assert.equal((await reply).status, 200);
  assert.deepEqual(last(path), DONE);
  assert.deepEqual(path.retries, { 'timeout retried': 1 });
  await eventually(() => path.servers.some(({ connections }) => connections[0]?.ended === true));
  await path.quiet();
});

test('the time until the head counts, not until the end of a body', async (t) => {
  const clock = new ManualClock();
  const path = await startPath(
    t,
    [({ connection }) => connection.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha')],
    { clock, service: { retry: { ...EAGER, perTryTimeoutMs: 500 } } },
  );
  const client = await path.client();
  await client.send(GET).contains('ha');
  clock.advance(2_000);
  path.servers[0]?.asked[0]?.connection.socket.write('lf');
  assert.match(await client.end(), /half$/);
  await path.quiet();
});

test('so does the head timeout, where there is no limit for one try', async (t) => {
  const clock = new ManualClock();
  const path = await startPair(t, firstAsked(hang), { clock, route: { timeouts: { headMs: 1_000 } } });
  const reply = path.ask();
  await eventually(() => sum(path) === 1);
  clock.advance(1_200);
  assert.equal((await reply).status, 200);
  assert.deepEqual(path.retries, { 'timeout retried': 1 });
  await path.quiet();
});

test('the per-try timeout holds for waiting in the queue of a backend too, and costs no budget', async (t) => {
  const clock = new ManualClock();
  const path = await startPath(t, [hang, ok], {
    clock,
    service: {
      retry: { ...EAGER, perTryTimeoutMs: 500 },
      retryBudget: { percent: 0, minPerSecond: 0 },
      pool: {
        maxConnections: 1,
        maxQueue: 8,
        queueTimeoutMs: 60_000,
        idleTimeoutMs: 4_000,
        maxRequests: 1_000,
        maxAgeMs: 60_000,
      },
    },
  });
  path.data.setAdmin(refTo(path, 1), 'draining');
  const first = await path.client();
  first.send(sending('POST', 'first'));
  await path.servers[0]?.askedTimes(1);
  const second = await path.client();
  second.send(sending('POST', 'second'));
  await eventually(() => path.status().backends[0]?.pool.queued === 1);
  path.data.setAdmin(refTo(path, 1), 'enabled');
  clock.advance(700);
  assert.match(await second.end(), /^HTTP\/1.1 200/);
  assert.equal(path.servers[1]?.asked[0]?.body, 'second', 'nothing of it had been sent');
  assert.match(await first.end(), /^HTTP\/1.1 504[\s\S]*response_timeout/);
  await path.quiet();
});

test('when a kept connection dies and the fresh one hangs, the per-try timeout still holds', async (t) => {
  const clock = new ManualClock();
  const path = await startPath(t, [ok], { clock, service: { retry: { ...EAGER, perTryTimeoutMs: 500 } } });
  const [server] = path.servers;
  assert.ok(server !== undefined);
  assert.equal((await path.ask()).status, 200);
  server.behave = (asked) => {
    if (server.asked.length === 2) reset(asked);
  };
  const reply = path.ask();
  await server.askedTimes(3);
  clock.advance(700);
  assert.equal((await reply).status, 504);
  assert.deepEqual(last(path), {
    status: 504,
    failure: 'response_timeout',
    attempts: 1,
    replays: 0,
    races: 1,
  });
  await path.quiet();
});

for (const method of ['POST', 'PATCH']) {
  for (const [what, does, status] of [
    ['a reset', reset, 502],
    ['a 503', failing(503), 503],
  ] as const) {
    test(`${method} is never sent twice after ${what}`, async (t) => {
      const path = await startPair(t, does, { service: { retry: EAGER } });
      assert.equal((await path.ask(sending(method, 'once'))).status, status);
      assert.equal(sum(path), 1);
      assert.deepEqual(path.retries, { [`${status === 502 ? 'reset' : 503} not_idempotent`]: 1 });
      await path.quiet();
    });
  }

  test(`${method} is sent again where the operator says that backends cope`, async (t) => {
    const path = await startPair(t, firstAsked(reset), {
      service: { retry: { ...EAGER, nonIdempotent: true } },
    });
    assert.equal((await path.ask(sending(method, 'twice'))).status, 200);
    assert.deepEqual(
      path.servers.flatMap(({ asked }) => asked.map(({ body }) => body)),
      ['twice', 'twice'],
    );
    await path.quiet();
  });

  test(`${method} that times out is cut off and not sent again`, async (t) => {
    const clock = new ManualClock();
    const path = await startPair(t, hang, { clock, service: { retry: { ...EAGER, perTryTimeoutMs: 500 } } });
    const reply = path.ask(sending(method, 'once'));
    await eventually(() => sum(path) === 1);
    clock.advance(700);
    assert.equal((await reply).status, 504);
    assert.equal(sum(path), 1);
    await path.quiet();
  });
}

test('POST goes elsewhere when nobody listens: nothing was sent', async (t) => {
  const path = await startPair(t, ok, { service: { balance: { kind: 'round-robin' } } });
  await path.servers[0]?.stop();
  for (let i = 0; i < 4; i++) assert.equal((await path.ask(sending('POST', 'x'))).status, 200);
  assert.equal(path.counts[1], 4);
  assert.deepEqual(path.retries, { 'connect_refused retried': 2 });
  await path.quiet();
});

test('a body up to the limit is kept and sent again, whole; a larger one is not', async (t) => {
  const retry = { ...EAGER, maxBodyBytes: 1_000 };
  const path = await startPair(t, firstAsked(reset), { service: { retry } });
  assert.equal((await path.ask(sending('PUT', 'x'.repeat(1_000)))).status, 200);
  const bodies = path.servers.flatMap(({ asked }) => asked.map(({ body }) => body.length));
  assert.deepEqual(bodies, [1_000, 1_000]);
  for (const server of path.servers) server.behave = reset;
  assert.equal((await path.ask(sending('PUT', 'x'.repeat(1_001)))).status, 502);
  assert.equal(sum(path), 3);
  assert.deepEqual(path.retries, { 'reset retried': 1, 'reset body_not_kept': 1 });
  await path.quiet();
});

test('a body that is still arriving when the backend goes is sent on from its beginning', async (t) => {
  const path = await startPath(t, [ok, ok]);
  const client = await path.client();
  client.send('PUT / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 9\r\n\r\nfirst');
  const connections = () => path.servers.flatMap((server) => server.connections);
  await eventually(() => connections()[0]?.received.endsWith('first') === true);
  connections()[0]?.socket.resetAndDestroy();
  await eventually(() => connections()[1]?.received.endsWith('first') === true);
  client.send('last');
  assert.match(await client.end(), /^HTTP\/1.1 200/);
  assert.deepEqual(
    path.servers.flatMap(({ asked }) => asked.map(({ body }) => body)),
    ['firstlast'],
  );
  await path.quiet();
});

test('with the budget used up the failure is the answer, and that is counted', async (t) => {
  const clock = new ManualClock();
  const path = await startPair(t, reset, {
    clock,
    service: { retry: retryPlan(), retryBudget: { percent: 20, minPerSecond: 0.2 } },
  });
  for (let i = 0; i < 4; i++) assert.equal((await path.ask()).status, 502);
  assert.equal(sum(path), 4 + 2);
  assert.deepEqual(path.retries, { 'reset retried': 2, 'reset attempts': 2, 'reset budget': 2 });
  assert.equal(path.status().retryBudgetRemaining, 0);
  clock.advance(11_000);
  assert.equal(path.status().retryBudgetRemaining, 2);
  await path.quiet();
});

test('attempts are as many as allowed, each at another backend, after pauses', async (t) => {
  const clock = new ManualClock();
  const retry = retryPlan({ attempts: 3, backoffMs: 50 });
  const path = await startPath(t, [reset, reset, reset, reset, reset], { clock, service: { retry } });
  const reply = path.ask();
  await eventually(() => path.retries['reset retried'] === 2);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(sum(path), 2, 'the third waits for its time');
  clock.advance(100);
  await eventually(() => path.retries['reset retried'] === 3);
  clock.advance(200);
  assert.equal((await reply).status, 502);
  assert.deepEqual([...path.counts].sort(), [0, 1, 1, 1, 1]);
  assert.deepEqual(path.retries, { 'reset retried': 3, 'reset attempts': 1 });
  await path.quiet();
});

test('a client that leaves during a pause is followed by no further attempt', async (t) => {
  const clock = new ManualClock();
  const retry = retryPlan({ attempts: 2, backoffMs: 1_000 });
  const path = await startPath(t, [reset, reset, reset], { clock, service: { retry } });
  const client = await path.client();
  client.send(GET);
  await eventually(() => path.retries['reset retried'] === 2);
  assert.equal(sum(path), 2);
  client.socket.resetAndDestroy();
  await eventually(() => path.exchanges.length === 1);
  clock.advance(5_000);
  assert.equal(sum(path), 2);
  assert.equal(last(path).failure, 'client_left');
  await path.quiet();
});

test('a backend that goes out of service during a pause does not get the request', async (t) => {
  const clock = new ManualClock();
  const retry = retryPlan({ attempts: 2, backoffMs: 1_000 });
  const path = await startPath(t, [reset, reset, reset], { clock, service: { retry } });
  const reply = path.ask();
  await eventually(() => path.retries['reset retried'] === 2);
  for (const [index, count] of path.counts.entries())
    if (count === 0) path.data.setAdmin(refTo(path, index), 'draining');
  clock.advance(2_000);
  assert.equal((await reply).status, 503);
  assert.equal(last(path).failure, 'no_backend');
  assert.equal(sum(path), 2);
  await path.quiet();
});

test('a route says over its service how often, and off is off', async (t) => {
  for (const [retry, requests] of [
    [undefined, 1],
    [retryPlan({ attempts: 2, backoffMs: 1 }), 3],
  ] as const) {
    const path = await startPath(t, [reset, reset, reset, reset], { route: { retry } });
    assert.equal((await path.ask()).status, 502);
    assert.equal(sum(path), requests);
    await path.quiet();
  }
});

test('switched off for the service, a refused connect is the answer too', async (t) => {
  const path = await startPair(t, ok, { service: { retry: undefined, balance: { kind: 'round-robin' } } });
  await path.servers[0]?.stop();
  const statuses = [(await path.ask()).status, (await path.ask()).status];
  assert.deepEqual(statuses.sort(), [200, 502]);
  assert.deepEqual(path.retries, { 'connect_refused off': 1 });
  await path.quiet();
});

test('a failure that was not listed, and an answer that broke off, are not tried again', async (t) => {
  const path = await startPair(t, reset, { service: { retry: retryPlan({ on: ['timeout'] }) } });
  assert.equal((await path.ask()).status, 502);
  for (const server of path.servers) {
    server.behave = (asked) => {
      asked.connection.socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
    };
  }
  const client = await path.client();
  client.send(GET);
  await eventually(() => path.exchanges.length === 2);
  assert.equal(last(path).failure, 'backend_truncated');
  assert.equal(sum(path), 2);
  assert.deepEqual(path.retries, { 'reset not_listed': 1 });
  await path.quiet();
});

test('with every fifth request reset when it first comes, nothing is lost', async (t) => {
  const seen = new Set<string>();
  const flaky: Behaviour = (asked) => {
    const again = seen.has(asked.target);
    seen.add(asked.target);
    if (asked.target.endsWith('5') && !again) reset(asked);
    else answer(asked, 200, asked.target);
  };
  const path = await startPath(t, [flaky, flaky, flaky], {
    service: { retryBudget: { percent: 20, minPerSecond: 1 }, ejection: EJECTION },
  });
  const targets = Array.from({ length: 60 }, (_, index) => `/${index}`);
  const replies = await Promise.all(
    targets.map((target) => path.ask(`GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)),
  );
  assert.deepEqual(
    replies.map(({ body }) => body),
    targets,
  );
  // on a connection that had served before it passes for a race, and is made again at the same backend
  const again = path.exchanges.map(({ replays, races }) => replays + races);
  assert.equal(again.filter((times) => times === 1).length, 6);
  await path.quiet();
});
