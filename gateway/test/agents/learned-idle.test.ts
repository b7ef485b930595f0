import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { LearnedIdle } from '../../src/data/learned-idle.ts';
import { eventually, only, startGateway } from '../relay/gateway-in-test.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { plan } from '../support/plans.ts';
import { RawBackend } from '../support/raw-backend.ts';
import { exchangeRaw } from '../support/raw-client.ts';
import { answer } from '../support/stage.ts';

const LAST_GET = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
const POOL = {
  maxConnections: 8,
  maxQueue: 8,
  queueTimeoutMs: 1_000,
  idleTimeoutMs: 60_000,
  maxRequests: 1_000,
  maxAgeMs: 6_000_000,
};

async function startLearning(t: TestContext, response: string) {
  const clock = new ManualClock();
  const backend = await RawBackend.start(answer(response));
  t.after(() => backend.stop());
  const gateway = await startGateway(t, plan([backend.port], { service: { pool: POOL } }), { clock });
  const { agent } = only(gateway);
  const get = async (): Promise<void> => {
    await exchangeRaw(gateway.port, LAST_GET);
    await eventually(() => agent.stats.idle === 1);
  };
  return { clock, backend, agent, get, port: gateway.port };
}

test('a Keep-Alive header lowers the idle timeout: the connection retires a second before the backend would', async (t) => {
  const { clock, agent, get } = await startLearning(
    t,
    'HTTP/1.1 200 OK\r\nKeep-Alive: timeout=10, max=100\r\nContent-Length: 2\r\n\r\nok',
  );
  await get();
  clock.advance(8_800);
  assert.equal(agent.stats.idle, 1);
  clock.advance(400);
  assert.equal(agent.stats.idle, 0);
  assert.equal(agent.counters.closed.get('idle'), 1);
});

test('Keep-Alive: timeout=0 means no reuse at all', async (t) => {
  const { agent, port, backend } = await startLearning(
    t,
    'HTTP/1.1 200 OK\r\nKeep-Alive: timeout=0\r\nContent-Length: 2\r\n\r\nok',
  );
  for (let i = 0; i < 3; i++) await exchangeRaw(port, LAST_GET);
  assert.equal(agent.counters.reuses, 0);
  assert.equal(backend.connections.length, 3);
});

test('two idle closes alike teach the timeout that no header tells', async (t) => {
  const { clock, agent, get, backend } = await startLearning(
    t,
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
  );
  for (let i = 0; i < 2; i++) {
    await get();
    clock.advance(5_000);
    assert.equal(agent.stats.idle, 1);
    backend.connections[i]?.socket.end();
    await eventually(() => agent.stats.idle === 0);
  }
  await get();
  clock.advance(3_800);
  assert.equal(agent.stats.idle, 1);
  clock.advance(500);
  assert.equal(agent.stats.idle, 0);
});

test("a header read while another backend's answer is half through is not taken for that one's", async (t) => {
  const clock = new ManualClock();
  const slow = await RawBackend.start(
    ({ socket }) => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha'),
  );
  const hasty = await RawBackend.answering(
    'HTTP/1.1 200 OK\r\nKeep-Alive: timeout=0\r\nContent-Length: 2\r\n\r\nok',
  );
  t.after(() => Promise.all([slow.stop(), hasty.stop()]));
  const base = plan([slow.port], { service: { pool: POOL } });
  const other = plan([hasty.port], {
    service: { name: 'hasty' },
    route: { name: '/h', path: '/h', service: 'hasty' },
  });
  const both = {
    ...base,
    services: [...base.services, ...other.services],
    routes: [...base.routes, ...other.routes],
  };
  const gateway = await startGateway(t, both, { clock });
  const client = await gateway.client();
  await client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n').contains('ha');
  await exchangeRaw(gateway.port, LAST_GET.replace('/', '/h'));
  slow.connections[0]?.socket.write('lf');
  await client.contains('half');
  await eventually(() => gateway.backends[0]?.agent.stats.idle === 1);
});

test('closes that are unlike, sudden or simultaneous teach nothing', () => {
  const unlike = new LearnedIdle(60_000);
  unlike.closedAfter(5_000, 10_000);
  unlike.closedAfter(9_000, 20_000);
  assert.equal(unlike.timeoutMs(20_000), 60_000);
  const sudden = new LearnedIdle(60_000);
  sudden.closedAfter(100, 10_000);
  sudden.closedAfter(100, 20_000);
  assert.equal(sudden.timeoutMs(20_000), 60_000);
  const simultaneous = new LearnedIdle(60_000);
  simultaneous.closedAfter(5_000, 10_000);
  simultaneous.closedAfter(5_000, 10_001);
  assert.equal(simultaneous.timeoutMs(20_000), 60_000);
});

test('what was observed is forgotten after ten minutes', () => {
  const learned = new LearnedIdle(60_000);
  learned.closedAfter(5_000, 10_000);
  learned.closedAfter(5_100, 20_000);
  assert.equal(learned.timeoutMs(20_000), 4_000);
  assert.equal(learned.timeoutMs(20_000 + 10 * 60_000 + 1), 60_000);
});

test('nonsense in Keep-Alive teaches nothing', () => {
  const learned = new LearnedIdle(60_000);
  for (const value of [
    '',
    'timeout',
    'timeout=',
    'timeout=-5',
    'timeout=1e1',
    'xtimeout=1',
    'timeout=99999999',
  ])
    learned.hint(value);
  assert.equal(learned.timeoutMs(0), 60_000);
  learned.hint('max=5, Timeout=2');
  assert.equal(learned.timeoutMs(0), 1_000);
});
