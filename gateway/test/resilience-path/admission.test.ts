import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { ConcurrencyPlan, Priority, ServicePlan } from '../../src/data/plan.ts';
import { eventually } from '../relay/gateway-in-test.ts';
import { pattern } from '../relay/pattern.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { retryPlan } from '../support/plans.ts';
import type { RawClient } from '../support/raw-client.ts';
import { backendAt, GET, type Path, type PathOptions, sending, startPath } from './path-stage.ts';
import { type Asked, answer, failing, hang, ok, reset, type ScriptedBackend } from './scripted-backend.ts';

interface Door extends Path {
  readonly clock: ManualClock;
  readonly server: ScriptedBackend;
}

const ONE: ConcurrencyPlan = { max: 1, queue: 4, queueTimeoutMs: 1_000, adaptive: false };

/** One backend that answers when the test says so, behind a limit; on virtual time. */
async function startDoor(
  t: TestContext,
  service: Partial<ServicePlan>,
  route: PathOptions['route'] = {},
): Promise<Door> {
  const clock = new ManualClock();
  const path = await startPath(t, [hang], { clock, service, route });
  const [server] = path.servers;
  assert.ok(server !== undefined);
  return Object.assign(path, { clock, server });
}

async function asking(path: Path, target: string): Promise<RawClient> {
  const client = await path.client();
  return client.send(`GET /${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
}

const finish = (asked: Asked | undefined): void => {
  assert.ok(asked !== undefined);
  answer(asked, 200, 'ok');
};

const inside = (path: Path) => path.status().concurrency;

for (const where of ['service', 'route'] as const) {
  test(`a limit of the ${where}: those who wait are served in the order they came`, async (t) => {
    const path = await startDoor(
      t,
      where === 'service' ? { concurrency: ONE } : {},
      where === 'route' ? { concurrency: ONE } : {},
    );
    const limit = where === 'service' ? path.service.limit : path.data.routes[0]?.limit;
    const clients: RawClient[] = [];
    for (let i = 0; i < 5; i++) {
      clients.push(await asking(path, `${i}`));
      await eventually(() => (limit?.inFlight ?? 0) + (limit?.queued ?? 0) === i + 1);
    }
    assert.deepEqual([limit?.inFlight, limit?.queued], [1, 4]);
    assert.equal(backendAt(path, 0).pending, 1, 'who waits there is not given to a backend');
    for (let i = 0; i < 5; i++) {
      const asked = await path.server.askedTimes(i + 1);
      assert.equal(asked.target, `/${i}`);
      finish(asked);
      assert.match((await clients[i]?.end()) ?? '', /^HTTP\/1.1 200/);
    }
    await path.quiet();
  });
}

test('past the queue: 503 at once, with Retry-After and a code that says why', async (t) => {
  const path = await startDoor(t, { concurrency: { ...ONE, queue: 0 } });
  const first = await asking(path, 'first');
  await path.server.askedTimes(1);
  const reply = await path.ask();
  assert.equal(reply.status, 503);
  assert.match(reply.head, /\r\nRetry-After: 1\r\n/);
  assert.match(reply.head, /\r\nProxy-Status: portway; error=connection_limit_reached; details="overloaded"/);
  assert.match(reply.body, /"code":"overloaded"/);
  finish(path.server.asked[0]);
  await first.end();
  assert.equal(path.server.asked.length, 1);
  await path.quiet();
});

test('who waits too long is told admission_timeout', async (t) => {
  const path = await startDoor(t, { concurrency: ONE });
  const first = await asking(path, 'first');
  await path.server.askedTimes(1);
  const reply = path.ask();
  await eventually(() => inside(path)?.queued === 1);
  path.clock.advance(950);
  assert.equal(inside(path)?.queued, 1);
  path.clock.advance(200);
  assert.equal((await reply).status, 503);
  assert.match((await reply).body, /"code":"admission_timeout"/);
  assert.equal(inside(path)?.inFlight, 1);
  finish(path.server.asked[0]);
  await first.end();
  await path.quiet();
});

test('high goes before normal, low is shed and waits for nobody', async (t) => {
  const priorities: readonly Priority[] = ['normal', 'low', 'high'];
  const path = await startDoor(t, { concurrency: ONE }, { priority: 'normal' });
  // one route for each, since the priority is the route's
  const [plan] = path.data.routes;
  assert.ok(plan !== undefined);
  await path.data.apply({
    listeners: path.data.listeners.map((listener) => listener.plan),
    services: [path.service.plan],
    routes: priorities.map((priority) => ({
      ...plan.plan,
      name: `/${priority}`,
      path: `/${priority}`,
      priority,
    })),
    explainTokenSha256: undefined,
  });
  const first = await asking(path, 'low');
  await path.server.askedTimes(1);
  const normal = await asking(path, 'normal');
  await eventually(() => inside(path)?.queued === 1);
  const high = await asking(path, 'high');
  await eventually(() => inside(path)?.queued === 2);
  const low = await asking(path, 'low');
  assert.match(await low.end(), /^HTTP\/1.1 503[\s\S]*overloaded/);
  for (let i = 1; i <= 3; i++) finish(await path.server.askedTimes(i));
  await Promise.all([first.end(), normal.end(), high.end()]);
  assert.deepEqual(
    path.server.asked.map(({ target }) => target),
    ['/low', '/high', '/normal'],
  );
  await path.quiet();
});

test('through the route’s limit and then the service’s; shed by the second, it gives back the first', async (t) => {
  const path = await startDoor(
    t,
    { concurrency: { ...ONE, queue: 0 } },
    { concurrency: { ...ONE, max: 2, queue: 0 } },
  );
  const first = await asking(path, 'first');
  await path.server.askedTimes(1);
  for (let i = 0; i < 4; i++) assert.equal((await path.ask()).status, 503);
  assert.equal(path.data.routes[0]?.limit?.inFlight, 1);
  finish(path.server.asked[0]);
  await first.end();
  await path.quiet();
});

test('a client that leaves while it waits gives up its place, and its request goes nowhere', async (t) => {
  const path = await startDoor(t, { concurrency: ONE });
  const first = await asking(path, 'first');
  await path.server.askedTimes(1);
  const leaving = await asking(path, 'leaving');
  await eventually(() => inside(path)?.queued === 1);
  const staying = await asking(path, 'staying');
  await eventually(() => inside(path)?.queued === 2);
  leaving.socket.resetAndDestroy();
  await eventually(() => inside(path)?.queued === 1);
  assert.equal(path.exchanges[0]?.failure, 'client_left');
  finish(path.server.asked[0]);
  finish(await path.server.askedTimes(2));
  await Promise.all([first.end(), staying.end()]);
  assert.deepEqual(
    path.server.asked.map(({ target }) => target),
    ['/first', '/staying'],
  );
  await path.quiet();
});

test('uploads that wait arrive intact, however large', async (t) => {
  const path = await startDoor(t, { concurrency: { ...ONE, max: 2 } });
  const holding = [await asking(path, 'a'), await asking(path, 'b')];
  await path.server.askedTimes(2);
  const bodies = [10, 60_000, 1_000_000, 3_000_000].map((size) => pattern(size, size).toString('latin1'));
  const replies = bodies.map((body) => path.ask(sending('POST', body)));
  await eventually(() => inside(path)?.queued === 4);
  path.server.behave = ok;
  for (const asked of path.server.asked) finish(asked);
  for (const reply of replies) assert.equal((await reply).status, 200);
  await Promise.all(holding.map((client) => client.end()));
  const arrived = path.server.asked.slice(2).map(({ body }) => body);
  assert.deepEqual(arrived.map(({ length }) => length).sort(), bodies.map(({ length }) => length).sort());
  assert.ok(arrived.every((body) => bodies.includes(body)));
  await path.quiet();
});

test('an upload that is shed is answered, not reset', async (t) => {
  const path = await startDoor(t, { concurrency: { ...ONE, queue: 0 } });
  const first = await asking(path, 'first');
  await path.server.askedTimes(1);
  const reply = await path.ask(sending('POST', 'x'.repeat(2_000_000)));
  assert.match(reply.body, /overloaded/);
  finish(path.server.asked[0]);
  await first.end();
  await path.quiet();
});

/** Ways for an exchange to end; each has to give its place back. */
const ENDS: Readonly<Record<string, (path: Door) => Promise<void>>> = {
  'an answer': async (path) => {
    path.server.behave = ok;
    assert.equal((await path.ask()).status, 200);
  },
  'an answer of 503': async (path) => {
    path.server.behave = failing(503);
    assert.equal((await path.ask()).status, 503);
  },
  'a reset': async (path) => {
    path.server.behave = reset;
    assert.equal((await path.ask()).status, 502);
  },
  'nobody listening': async (path) => {
    await path.server.stop();
    assert.equal((await path.ask()).status, 502);
  },
  'no backend': async (path) => {
    path.data.setAdmin({ service: 'web', backend: path.server.name }, 'disabled');
    assert.equal((await path.ask()).status, 503);
    path.data.setAdmin({ service: 'web', backend: path.server.name }, 'enabled');
  },
  'a timeout': async (path) => {
    path.server.behave = hang;
    const reply = path.ask();
    await path.server.askedTimes(path.server.asked.length + 1);
    path.clock.advance(2_000);
    assert.equal((await reply).status, 504);
  },
  'a client that leaves': async (path) => {
    path.server.behave = hang;
    const client = await path.client();
    client.send(GET);
    await path.server.askedTimes(path.server.asked.length + 1);
    client.socket.resetAndDestroy();
  },
  'an answer that breaks off': async (path) => {
    path.server.behave = ({ connection }) =>
      void connection.socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf');
    const client = await path.client();
    client.send(GET);
    await eventually(() => client.closed);
  },
  'a tunnel': async (path) => {
    path.server.behave = ({ connection }) =>
      void connection.socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n',
      );
    const client = await path.client();
    await client
      .send('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n')
      .contains('101');
    assert.equal(inside(path)?.inFlight, 1, 'a tunnel holds its place while it lasts');
    client.socket.resetAndDestroy();
  },
};

for (const [how, end] of Object.entries(ENDS)) {
  test(`the place is free again after ${how}`, async (t) => {
    const path = await startDoor(
      t,
      { concurrency: { ...ONE, queue: 0 }, retry: retryPlan({ attempts: 0 }) },
      { concurrency: { ...ONE, queue: 0 }, timeouts: { headMs: 1_000 } },
    );
    await end(path);
    await eventually(() => inside(path)?.inFlight === 0);
    await end(path);
    await eventually(() => path.exchanges.length === 2);
    await path.quiet();
  });
}

test('a limit that follows latency sheds what a slow backend cannot take, and lets nobody wait for ever', async (t) => {
  const path = await startPath(t, [(asked) => void setTimeout(() => ok(asked), 5)], {
    service: { concurrency: { max: 100, queue: 5, queueTimeoutMs: 60_000, adaptive: true }, slowStartMs: 0 },
  });
  assert.equal(inside(path)?.limit, 20);
  const replies = await Promise.all(Array.from({ length: 60 }, () => path.ask()));
  const codes = new Set(replies.map(({ status }) => status));
  assert.ok(codes.has(200) && replies.every(({ status }) => status === 200 || status === 503));
  assert.ok(replies.filter(({ status }) => status === 200).length >= 25);
  assert.equal((await path.ask()).status, 200);
  await path.quiet();
});
