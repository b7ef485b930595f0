import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Lookup } from '../../src/data/resolver.ts';
import type { Route } from '../../src/data/route.ts';
import { allQuiet, eventually, type GatewayInTest } from '../relay/gateway-in-test.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { exchangeRaw, RawClient } from '../support/raw-client.ts';
import { answer } from '../support/stage.ts';
import { connectTo, ESTABLISHED, startProxy, startTarget } from './proxy-stage.ts';

/** What the forward proxy is counted as. */
function routeOf(proxy: GatewayInTest): Route {
  const route = proxy.gateway.data.listeners[0]?.ownRoutes[0];
  assert.ok(route !== undefined);
  return route;
}

async function noTunnels(proxy: GatewayInTest): Promise<void> {
  const { tunnels, limit } = routeOf(proxy);
  await eventually(() => tunnels.open === 0 && limit?.inFlight === 0);
  await allQuiet(proxy);
}

/** A look-up that tests answer when they like. */
function heldLookup(): { lookup: Lookup; asked: string[]; answerAll: () => void } {
  const asked: string[] = [];
  const waiting: (() => void)[] = [];
  const lookup: Lookup = (host, done) => {
    asked.push(host);
    waiting.push(() => done(null, [{ address: '127.0.0.1', family: 4 }]));
  };
  return { lookup, asked, answerAll: () => waiting.splice(0).forEach((one) => void one()) };
}

test('what is sent behind CONNECT waits for the connection, and reaches the target as it is', async (t) => {
  const target = await startTarget(t, (connection, data) =>
    connection.socket.write(`you said ${data}`, 'latin1'),
  );
  const { lookup, asked, answerAll } = heldLookup();
  const proxy = await startProxy(t, {}, { lookup });
  const client = await proxy.client();
  const early = 'GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n\0\xff';
  client.send(connectTo(`a.test:${target.port}`) + early);
  await eventually(() => asked.length === 1);
  assert.equal(client.received, '');
  answerAll();
  assert.equal(await client.contains('\xff'), `${ESTABLISHED}you said ${early}`);
  client.socket.end();
  await target.until(({ connections }) => connections[0]?.ended === true);
  target.connections[0]?.socket.end();
  await client.end();
  await noTunnels(proxy);
  assert.deepEqual(asked, ['a.test']);
});

test('a target that speaks first is heard', async (t) => {
  const target = await startTarget(t);
  const proxy = await startProxy(t);
  const client = await proxy.client();
  client.send(connectTo(`127.0.0.1:${target.port}`));
  await target.until(({ connections }) => connections.length === 1);
  target.connections[0]?.socket.write('220 hello\r\n');
  assert.equal(await client.contains('hello\r\n'), `${ESTABLISHED}220 hello\r\n`);
});

test('either side may close its half and go on listening', async (t) => {
  const target = await startTarget(t);
  const proxy = await startProxy(t);
  for (const first of ['client', 'target'] as const) {
    const client = await proxy.client();
    client.send(connectTo(`127.0.0.1:${target.port}`));
    await client.contains('Established');
    await target.until(({ connections }) => connections.some(({ ended }) => !ended));
    const there = target.connections.at(-1);
    assert.ok(there !== undefined);
    if (first === 'client') {
      client.socket.end('from the client');
      await target.until(() => there.ended && there.received === 'from the client');
      there.socket.end('and back');
      assert.equal(await client.end(), `${ESTABLISHED}and back`);
    } else {
      there.socket.end('from the target');
      await eventually(() => client.ended);
      client.send('and back').socket.end();
      await target.until(() => there.ended && there.received === 'and back');
    }
  }
  await noTunnels(proxy);
  const { tunnels } = routeOf(proxy);
  assert.deepEqual(Object.fromEntries(tunnels.ended), { client: 1, backend: 1 });
  assert.equal(tunnels.bytesIn, 'from the client'.length + 'and back'.length);
  assert.equal(tunnels.bytesOut, 'from the target'.length + 'and back'.length);
});

test('a client that resets ends everything at any step: looking up, connecting, established, in the middle of bytes', async (t) => {
  const target = await startTarget(t);
  const { lookup, asked, answerAll } = heldLookup();
  const proxy = await startProxy(t, {}, { lookup });
  const at = `a.test:${target.port}`;
  const looking = await proxy.client();
  looking.send(connectTo(at));
  await eventually(() => asked.length === 1);
  looking.socket.resetAndDestroy();
  await noTunnels(proxy);
  answerAll();
  for (const bytes of [0, 1_000_000]) {
    const client = await proxy.client();
    client.send(connectTo(at));
    // as soon as the target has been dialled, and after the answer
    if (bytes > 0) await client.contains('Established');
    client.socket.write(Buffer.alloc(bytes));
    await target.until(({ connections }) => connections.length > (bytes === 0 ? 0 : 1));
    client.socket.resetAndDestroy();
    await noTunnels(proxy);
  }
  await target.until(({ connections }) => connections.every(({ ended, closed }) => ended || closed));
});

test('a target that resets, at once or later, ends the tunnel and nothing else', async (t) => {
  const target = await startTarget(t, (connection) => connection.socket.resetAndDestroy());
  const proxy = await startProxy(t);
  const at = connectTo(`127.0.0.1:${target.port}`);
  const early = await exchangeRaw(proxy.port, `${at}now`);
  assert.ok(early.startsWith(ESTABLISHED) && early.length === ESTABLISHED.length);
  const client = await proxy.client();
  client.send(at);
  await client.contains('Established');
  client.send('x');
  await client.end();
  await noTunnels(proxy);
  assert.equal(routeOf(proxy).tunnels.ended.get('backend'), 2);
});

test('a silent tunnel is ended when its time is over, one that is used is not', async (t) => {
  const target = await startTarget(t);
  const clock = new ManualClock();
  const proxy = await startProxy(t, { idleTimeoutMs: 10_000 }, { clock });
  const client = await proxy.client();
  client.send(connectTo(`127.0.0.1:${target.port}`));
  await client.contains('Established');
  for (const said of ['one', 'two']) {
    clock.advance(9_000);
    client.send(said);
    await target.until(({ received }) => received.endsWith(said));
  }
  assert.equal(client.ended, false);
  clock.advance(10_200);
  await client.end();
  await noTunnels(proxy);
  assert.deepEqual(Object.fromEntries(routeOf(proxy).tunnels.ended), { idle: 1 });
});

test('who does not answer in time is 504', async (t) => {
  const { lookup, asked } = heldLookup();
  const clock = new ManualClock();
  const proxy = await startProxy(t, { connectTimeoutMs: 3_000 }, { clock, lookup });
  const client = await proxy.client();
  client.send(connectTo('never.test:443'));
  await eventually(() => asked.length === 1);
  clock.advance(4_500);
  assert.match(await client.end(), /^HTTP\/1\.1 504 [^]*error=connection_timeout/);
  await noTunnels(proxy);
});

test('more tunnels than are allowed are refused, those being opened among them, until one ends', async (t) => {
  const target = await startTarget(t, answer());
  const { lookup, asked, answerAll } = heldLookup();
  const proxy = await startProxy(t, { maxTunnels: 2 }, { lookup });
  const [open, opening] = [await proxy.client(), await proxy.client()];
  open.send(connectTo(`127.0.0.1:${target.port}`));
  await open.contains('Established');
  opening.send(connectTo(`a.test:${target.port}`));
  await eventually(() => asked.length === 1);
  const third = await exchangeRaw(proxy.port, connectTo(`127.0.0.1:${target.port}`));
  assert.match(third, /^HTTP\/1\.1 503 [^]*details="too_many_tunnels"[^]*Retry-After: 1\r\n/);
  // requests are no tunnels
  const whole = `GET http://127.0.0.1:${target.port}/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;
  assert.match(await exchangeRaw(proxy.port, whole), /ok$/);
  answerAll();
  await opening.contains('Established');
  open.socket.resetAndDestroy();
  await eventually(() => routeOf(proxy).tunnels.open === 1);
  const next = await proxy.client();
  next.send(connectTo(`127.0.0.1:${target.port}`));
  await next.contains('Established');
});

test('a drain ends tunnels by its deadline', async (t) => {
  const target = await startTarget(t);
  const proxy = await startProxy(t);
  const client = await proxy.client();
  client.send(connectTo(`127.0.0.1:${target.port}`));
  await client.contains('Established');
  const drained = proxy.gateway.data.drain(300);
  await client.end();
  await drained;
  await eventually(() => routeOf(proxy).tunnels.open === 0);
});

test('bytes pass as fast as both sides take them, in either direction, and nothing is kept', async (t) => {
  const target = await startTarget(t);
  const proxy = await startProxy(t);
  const client = await RawClient.open(proxy.port);
  t.after(() => client.socket.destroy());
  client.send(connectTo(`127.0.0.1:${target.port}`));
  await client.contains('Established');
  await target.until(({ connections }) => connections.length === 1);
  const there = target.connections[0];
  assert.ok(there !== undefined);
  there.socket.pause();
  const total = 8 * 1024 * 1024;
  client.socket.write(Buffer.alloc(total));
  const { tunnels } = routeOf(proxy);
  // it stops taking what the target does not take
  let before = -1;
  await eventually(() => {
    const stalled = tunnels.bytesIn > 0 && tunnels.bytesIn === before;
    before = tunnels.bytesIn;
    return stalled || tunnels.bytesIn === total;
  });
  there.socket.resume();
  await eventually(() => there.received.length === total);
  assert.equal(tunnels.bytesIn, total);
});
