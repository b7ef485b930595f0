import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../relay/gateway-in-test.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { retryPlan } from '../support/plans.ts';
import { GET, refTo, startPath } from './path-stage.ts';
import { answer, type Behaviour, failing, ok, type ScriptedBackend } from './scripted-backend.ts';

const ON_503 = retryPlan({ on: ['503'] });

/** What comes back from a backend that is busy, in one of the shapes an answer can have. */
const SHAPES: Readonly<Record<string, string>> = {
  'of 64 KiB': `Content-Length: 65536\r\n\r\n${'x'.repeat(65_536)}`,
  'without body': 'Content-Length: 0\r\n\r\n',
  'of more than 64 KiB': `Content-Length: 65537\r\n\r\n${'x'.repeat(65_537)}`,
  'in chunks': 'Transfer-Encoding: chunked\r\n\r\n4\r\nbusy\r\n0\r\n\r\n',
  'that says it is the last': 'Content-Length: 4\r\nConnection: close\r\n\r\nbusy',
  'until close': '\r\nbusy',
};
const KEPT: ReadonlySet<string> = new Set(['of 64 KiB', 'without body']);

function only(servers: readonly ScriptedBackend[]): ScriptedBackend {
  const [server] = servers;
  assert.ok(server !== undefined && servers.length === 1);
  return server;
}

for (const [shape, rest] of Object.entries(SHAPES)) {
  const kept = KEPT.has(shape);
  test(`503 ${shape}: another backend answers, and the connection is ${kept ? 'kept' : 'closed'}`, async (t) => {
    const busy: Behaviour = ({ connection }) => {
      connection.socket.write(`HTTP/1.1 503 Busy\r\n${rest}`);
      if (shape === 'until close') connection.socket.end();
    };
    const path = await startPath(t, [busy, ok], {
      service: {
        retry: ON_503,
        balance: { kind: 'round-robin' },
        retryBudget: { percent: 100, minPerSecond: 9 },
      },
    });
    const [server] = path.servers;
    for (let i = 0; i < 6; i++) {
      assert.deepEqual([(await path.ask()).body], ['ok']);
      await eventually(() => path.status().backends[0]?.pool.active === 0);
    }
    assert.deepEqual(path.counts, [3, 6]);
    assert.equal(server?.connections.length, kept ? 1 : 3);
    assert.deepEqual(path.retries, { '503 retried': 3 });
    await path.quiet();
  });
}

test('what is left of an unwanted answer may come later; a backend that stops in it loses the connection', async (t) => {
  const clock = new ManualClock();
  const slowly: Behaviour = ({ connection }) =>
    connection.socket.write('HTTP/1.1 503 Busy\r\nContent-Length: 8\r\n\r\nhalf');
  const path = await startPath(t, [slowly, ok], {
    clock,
    service: { retry: ON_503, balance: { kind: 'round-robin' } },
    route: { timeouts: { idleMs: 1_000 } },
  });
  for (let i = 0; i < 2; i++) assert.equal((await path.ask()).body, 'ok');
  const [server] = path.servers;
  assert.equal(path.status().backends[0]?.pool.active, 1);
  assert.equal(path.status().backends[0]?.pending, 0, 'nobody waits for it');
  server?.asked[0]?.connection.socket.write('rest');
  await eventually(() => path.status().backends[0]?.pool.idle === 1);
  for (let i = 0; i < 2; i++) assert.equal((await path.ask()).body, 'ok');
  clock.advance(1_200);
  await eventually(() => server?.connections[0]?.ended === true);
  assert.equal(server?.connections.length, 1);
  await path.quiet();
});

test('HEAD is tried again too, and its answer has no body to throw away', async (t) => {
  const path = await startPath(t, [failing(503), ok], {
    service: { retry: ON_503, balance: { kind: 'round-robin' } },
  });
  for (let i = 0; i < 4; i++) {
    assert.equal((await path.ask('HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')).status, 200);
  }
  assert.equal(path.servers[0]?.connections.length, 1);
  await path.quiet();
});

test('only the statuses that are listed, and by default none', async (t) => {
  for (const [retry, expected] of [
    [retryPlan(), [502, 503, 504]],
    [ON_503, [502, 200, 504]],
    [retryPlan({ on: ['502', '504'] }), [200, 503, 200]],
  ] as const) {
    let status = 0;
    let failed = true;
    const alternating: Behaviour = (asked) => {
      failed = !failed;
      if (failed) ok(asked);
      else failing(status)(asked);
    };
    const path = await startPath(t, [alternating, alternating], { service: { retry } });
    const seen: number[] = [];
    for (status of [502, 503, 504]) {
      failed = true;
      seen.push((await path.ask()).status);
    }
    assert.deepEqual(seen, expected);
    await path.quiet();
  }
});

test('when all backends are busy, the last answer is passed on whole', async (t) => {
  const path = await startPath(t, [failing(503), failing(503)], { service: { retry: ON_503 } });
  const reply = await path.ask();
  assert.equal(reply.status, 503);
  assert.equal(reply.body, 'failed with 503');
  assert.deepEqual(path.counts, [1, 1]);
  assert.deepEqual(path.retries, { '503 retried': 1, '503 attempts': 1 });
  await path.quiet();
});

test('the only backend asks for a pause: the request waits that long and comes back there', async (t) => {
  const clock = new ManualClock();
  const path = await startPath(t, [failing(503, 'Retry-After: 1\r\n')], {
    clock,
    service: { retry: ON_503 },
  });
  const server = only(path.servers);
  const reply = path.ask();
  await eventually(() => path.retries['503 retried'] === 1);
  server.behave = ok;
  assert.equal(path.status().backends[0]?.pending, 0);
  clock.advance(1_100);
  assert.equal((await reply).status, 200);
  assert.equal(server.connections.length, 1);
  await path.quiet();
});

for (const value of ['3', '86400', 'soon', '-1', 'Wed, 01 Jan 2098 00:00:00 GMT', '1, 2']) {
  test(`the only backend says Retry-After: ${value}, and its answer is passed on`, async (t) => {
    const path = await startPath(t, [failing(503, `Retry-After: ${value}\r\n`)], {
      service: { retry: ON_503 },
    });
    const reply = await path.ask();
    assert.equal(reply.status, 503);
    assert.ok(reply.head.includes(`\r\nRetry-After: ${value}\r\n`));
    assert.deepEqual(path.retries, { '503 no_other_backend': 1 });
    await path.quiet();
  });
}

test('an only backend that is being drained is not asked again, whatever it promises', async (t) => {
  const path = await startPath(t, [ok], { service: { retry: ON_503 } });
  const server = only(path.servers);
  server.behave = (asked) => {
    path.data.setAdmin(refTo(path, 0), 'draining');
    answer(asked, 503, 'going', 'Retry-After: 0\r\n');
  };
  const reply = await path.ask();
  assert.equal(reply.body, 'going');
  assert.equal(server.asked.length, 1);
  await path.quiet();
});

test('with another backend at hand nobody waits for Retry-After', async (t) => {
  const path = await startPath(t, [failing(503, 'Retry-After: 2\r\n'), ok], {
    clock: new ManualClock(),
    service: { retry: ON_503, balance: { kind: 'round-robin' } },
  });
  for (let i = 0; i < 4; i++) assert.equal((await path.ask()).status, 200);
  await path.quiet();
});

test('a client that leaves while Retry-After is waited for is followed by no attempt', async (t) => {
  const clock = new ManualClock();
  const path = await startPath(t, [failing(503, 'Retry-After: 1\r\n')], {
    clock,
    service: { retry: ON_503 },
  });
  const client = await path.client();
  client.send(GET);
  await eventually(() => path.retries['503 retried'] === 1);
  client.socket.resetAndDestroy();
  await eventually(() => path.exchanges.length === 1);
  clock.advance(2_000);
  assert.equal(only(path.servers).asked.length, 1);
  await path.quiet();
});

test('the whole time is limited whatever it is spent on', async (t) => {
  const clock = new ManualClock();
  const path = await startPath(t, [failing(503, 'Retry-After: 2\r\n')], {
    clock,
    service: { retry: ON_503 },
    route: { timeouts: { totalMs: 1_000 } },
  });
  const stalled = path.ask();
  await eventually(() => path.retries['503 retried'] === 1);
  only(path.servers).behave = () => {};
  clock.advance(1_200);
  const reply = await stalled;
  assert.equal(reply.status, 504);
  assert.match(reply.body, /total_timeout/);
  await path.quiet();
});

test('with the budget used up the answer of the backend is the answer', async (t) => {
  const path = await startPath(t, [failing(503), ok], {
    service: {
      retry: ON_503,
      balance: { kind: 'round-robin' },
      retryBudget: { percent: 0, minPerSecond: 0.1 },
    },
  });
  const statuses: number[] = [];
  for (let i = 0; i < 6; i++) statuses.push((await path.ask()).status);
  assert.deepEqual(statuses.sort(), [200, 200, 200, 200, 503, 503]);
  assert.deepEqual(path.retries, { '503 retried': 1, '503 budget': 2 });
  await path.quiet();
});
