import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { fewAtOnce } from '../../src/data/forward-proxy/guarded-resolver.ts';
import { NoAddress, type ResolvedAddress } from '../../src/data/resolver.ts';
import { allQuiet, eventually, type GatewayInTest } from '../relay/gateway-in-test.ts';
import { exchangeRaw } from '../support/raw-client.ts';
import { answer } from '../support/stage.ts';
import { connectTo, lookupOf, startProxy, startTarget } from './proxy-stage.ts';

function descriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

/** What the forward proxy is counted as. */
function ownRoute(proxy: GatewayInTest) {
  const route = proxy.gateway.data.listeners[0]?.ownRoutes[0];
  assert.ok(route !== undefined);
  return route;
}

test('look-ups run a few at a time, wait in a line, and beyond that are refused at once', () => {
  const running: ((error: Error | null, addresses: readonly ResolvedAddress[]) => void)[] = [];
  let begun = 0;
  const lookup = fewAtOnce((_host, done) => {
    begun += 1;
    running.push(done);
  });
  const ended: (string | undefined)[] = [];
  for (let i = 0; i < 1_000; i++)
    lookup(`${i}.test`, (error) => void ended.push(error instanceof NoAddress ? error.code : undefined));
  assert.equal(begun, 3);
  assert.deepEqual(new Set(ended), new Set(['overloaded']));
  assert.equal(ended.length, 1_000 - 3 - 256);
  for (let done = running.shift(); done !== undefined; done = running.shift()) {
    assert.ok(running.length < 3);
    done(null, []);
  }
  assert.equal(begun, 3 + 256);
  assert.equal(ended.length, 1_000);
});

test('a flood of distinct names is remembered no further than there is room, and takes no tunnel that is in use', async (t) => {
  const target = await startTarget(t, answer());
  let made = 0;
  const proxy = await startProxy(
    t,
    { maxTunnels: 2 },
    {
      lookup: (host, done) => {
        made += 1;
        lookupOf({ 'open.test': [['127.0.0.1']] })(host, done);
      },
    },
  );
  const open = await proxy.client();
  open.send(connectTo(`open.test:${target.port}`));
  await open.contains('Established');
  const names = 600;
  const ask = async (i: number): Promise<void> => {
    const whole = `GET http://${i}.test:${target.port}/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;
    assert.match(await exchangeRaw(proxy.port, whole), /^HTTP\/1\.1 502 /);
  };
  for (let i = 0; i < names; i++) await ask(i);
  assert.equal(made, names + 1);
  // asked for again, the latest is known, and its failure with it; the first have been forgotten
  await ask(names - 1);
  assert.equal(made, names + 1);
  await ask(0);
  await ask(names - 300);
  assert.equal(made, names + 3);
  open.send('GET / HTTP/1.1\r\n\r\n');
  await open.contains('\r\n\r\nok');
  assert.equal(proxy.gateway.data.counts().routes.length, 2);
  assert.equal(proxy.gateway.data.counts().backends.length, 1);
});

test('a thousand tunnels that are broken off leave nothing behind', async (t) => {
  const target = await startTarget(t, (connection) => connection.socket.write('more'));
  const proxy = await startProxy(t, { maxTunnels: 50 });
  const head = connectTo(`127.0.0.1:${target.port}`);
  const { tunnels, limit } = ownRoute(proxy);
  const breakOff = async (turn: number): Promise<void> => {
    const client = await proxy.client();
    client.send(head);
    // at a different step each: at once, when it is answered, with bytes on their way
    if (turn % 3 > 0) await client.contains('Established');
    if (turn % 3 > 1) client.send('x'.repeat(10_000));
    if (turn % 2 === 0) client.socket.resetAndDestroy();
    else client.socket.destroy();
  };
  const settled = async (): Promise<void> => {
    for (const { socket } of target.connections) socket.destroy();
    await eventually(() => tunnels.open === 0 && limit?.inFlight === 0);
    await allQuiet(proxy);
  };
  await Promise.all(Array.from({ length: 20 }, (_, turn) => breakOff(turn)));
  await settled();
  const before = descriptors();
  for (let round = 0; round < 50; round++) {
    await Promise.all(Array.from({ length: 20 }, (_, turn) => breakOff(turn)));
    await settled();
  }
  await eventually(() => descriptors() <= before + 3);
  assert.equal(
    tunnels.opened,
    [...tunnels.ended.values()].reduce((sum, count) => sum + count, 0),
  );
  assert.match(await exchangeRaw(proxy.port, 'CONNECT x HTTP/1.1\r\nHost: x\r\n\r\n'), /^HTTP\/1\.1 400 /);
});
