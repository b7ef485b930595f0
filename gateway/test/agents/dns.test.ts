import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Lookup, ResolvedAddress } from '../../src/data/resolver.ts';
import { eventually, only, startGateway } from '../relay/gateway-in-test.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { plan, servicePlan } from '../support/plans.ts';
import { exchangeRaw } from '../support/raw-client.ts';
import { startHttpBackend } from './http-backend.ts';

const LAST_GET = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

/** Names with the addresses a test gives them; it can change them. */
class Names {
  readonly addresses = new Map<string, readonly string[]>();
  asked = 0;
  readonly lookup: Lookup = (host, done) => {
    this.asked += 1;
    const found = this.addresses.get(host);
    const resolved: readonly ResolvedAddress[] = (found ?? []).map((address) => ({
      address,
      family: address.includes(':') ? 6 : 4,
    }));
    setImmediate(() => done(found === undefined ? new Error('ENOTFOUND') : null, resolved));
  };
}

const named = (port: number, ...hosts: string[]) => ({
  backends: hosts.map(
    (host) => ({ name: `${host}:${port}`, protocol: 'http', host, port, weight: 1 }) as const,
  ),
});

/** A backend that says on which address it answers. */
const says = (text: string) => (_request: unknown, response: { end(text: string): void }) =>
  response.end(text);

test('a name that moved to another address is found again: the first request after it already succeeds', async (t) => {
  const clock = new ManualClock();
  const names = new Names();
  const old = await startHttpBackend(t, says('old'), { host: '127.0.0.2' });
  const moved = await startHttpBackend(t, says('moved'), { host: '127.0.0.3', port: old.port });
  names.addresses.set('db.test', ['127.0.0.2']);
  const gateway = await startGateway(t, plan([], { service: named(old.port, 'db.test') }), {
    clock,
    lookup: names.lookup,
  });
  assert.match(await exchangeRaw(gateway.port, LAST_GET), /old/);
  await old.stop();
  await eventually(() => only(gateway).agent.stats.idle === 0);
  names.addresses.set('db.test', ['127.0.0.3']);
  clock.advance(1_500);
  const answered = await Promise.all(Array.from({ length: 8 }, () => exchangeRaw(gateway.port, LAST_GET)));
  for (const text of answered) assert.match(text, /moved/);
  assert.ok(moved.sockets.length > 0);
  assert.equal(names.asked, 2);
});

test('idle connections to addresses that the name no longer has are closed', async (t) => {
  const clock = new ManualClock();
  const names = new Names();
  const old = await startHttpBackend(t, says('old'), { host: '127.0.0.2' });
  await startHttpBackend(t, says('moved'), { host: '127.0.0.3', port: old.port });
  names.addresses.set('db.test', ['127.0.0.2']);
  const pool = {
    maxConnections: 8,
    maxQueue: 8,
    queueTimeoutMs: 1_000,
    idleTimeoutMs: 60_000,
    maxRequests: 2,
    maxAgeMs: 600_000,
  };
  const service = { ...named(old.port, 'db.test'), pool };
  const gateway = await startGateway(t, plan([], { service }), { clock, lookup: names.lookup });
  const { agent } = only(gateway);
  await Promise.all([1, 2, 3].map(() => exchangeRaw(gateway.port, LAST_GET)));
  await eventually(() => agent.stats.idle > 1);
  const idle = agent.stats.idle;
  names.addresses.set('db.test', ['127.0.0.3']);
  clock.advance(6_000);
  // uses up the connections one by one until a new one is dialled, for which the stale name is asked for again
  while (names.asked < 2) await exchangeRaw(gateway.port, LAST_GET);
  await eventually(() => old.sockets.every(({ destroyed }) => destroyed));
  await exchangeRaw(gateway.port, LAST_GET);
  assert.match(await exchangeRaw(gateway.port, LAST_GET), /moved/);
  assert.ok(idle > 1);
});

test('of several addresses the next is tried when one refuses', async (t) => {
  const names = new Names();
  const up = await startHttpBackend(t, says('up'), { host: '127.0.0.3' });
  names.addresses.set('db.test', ['127.0.0.2', '127.0.0.4', '127.0.0.3']);
  const gateway = await startGateway(t, plan([], { service: named(up.port, 'db.test') }), {
    lookup: names.lookup,
  });
  for (let i = 0; i < 6; i++) {
    assert.match(await exchangeRaw(gateway.port, LAST_GET), /up/);
    for (const socket of up.sockets) socket.destroy();
    await eventually(() => only(gateway).agent.stats.idle === 0);
  }
  assert.ok(gateway.ended.every(({ attempts }) => attempts === 1));
});

test('several addresses that all refuse are one refused connect', async (t) => {
  const names = new Names();
  const gone = await startHttpBackend(t, says(''), { host: '127.0.0.2' });
  await gone.stop();
  names.addresses.set('db.test', ['127.0.0.2', '127.0.0.3']);
  const gateway = await startGateway(t, plan([], { service: named(gone.port, 'db.test') }), {
    lookup: names.lookup,
  });
  assert.match(await exchangeRaw(gateway.port, LAST_GET), /^HTTP\/1\.1 502 [\s\S]*"code":"connect_refused"/);
  assert.deepEqual(only(gateway).agent.stats, { active: 0, idle: 0, connecting: 0, queued: 0 });
});

test('a name that is not known is 502 dns_failed', async (t) => {
  const names = new Names();
  const gateway = await startGateway(t, plan([], { service: named(1, 'nowhere.test') }), {
    lookup: names.lookup,
  });
  assert.match(await exchangeRaw(gateway.port, LAST_GET), /^HTTP\/1\.1 502 [\s\S]*"code":"dns_failed"/);
  assert.equal(only(gateway).pending, 0);
});

test('where one name is not known, another backend takes the request', async (t) => {
  const names = new Names();
  const up = await startHttpBackend(t, says('up'));
  names.addresses.set('known.test', ['127.0.0.1']);
  const service = servicePlan([], {
    ...named(up.port, 'nowhere.test', 'known.test'),
    balance: { kind: 'round-robin' },
  });
  const gateway = await startGateway(t, plan([], { services: [service] }), { lookup: names.lookup });
  for (let i = 0; i < 4; i++)
    assert.match(await exchangeRaw(gateway.port, LAST_GET.replace('GET', 'POST')), /up/);
});

test('a name that cannot be looked up any more keeps its last addresses for a while', async (t) => {
  const clock = new ManualClock();
  const names = new Names();
  const up = await startHttpBackend(t, says('up'), { host: '127.0.0.2' });
  names.addresses.set('db.test', ['127.0.0.2']);
  const gateway = await startGateway(t, plan([], { service: named(up.port, 'db.test') }), {
    clock,
    lookup: names.lookup,
  });
  await exchangeRaw(gateway.port, LAST_GET);
  names.addresses.delete('db.test');
  clock.advance(30_000);
  assert.match(await exchangeRaw(gateway.port, LAST_GET), /up/);
});

test('a look-up that never ends is given up', async (t) => {
  const clock = new ManualClock();
  const gateway = await startGateway(t, plan([], { service: named(1, 'slow.test') }), {
    clock,
    lookup: () => {},
  });
  const waiting = exchangeRaw(gateway.port, LAST_GET);
  await eventually(() => only(gateway).agent.stats.queued === 1);
  clock.advance(3_500);
  assert.match(await waiting, /^HTTP\/1\.1 50[34] /);
});

test('IPv6: a backend and a listener on ::1', async (t) => {
  const up = await startHttpBackend(t, says('six'), { host: '::1' });
  const base = plan([], { service: named(up.port, '::1'), listener: { host: '::1' } });
  const gateway = await startGateway(t, base);
  assert.match(gateway.gateway.urls[0] ?? '', /^http:\/\/\[::1\]:\d+$/);
  const response = await fetch(`${gateway.gateway.urls[0]}/`);
  assert.equal(await response.text(), 'six');
});
