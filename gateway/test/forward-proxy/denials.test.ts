import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Lookup } from '../../src/data/resolver.ts';
import { allQuiet, eventually } from '../relay/gateway-in-test.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { ADMIN_ONLY } from '../support/plans.ts';
import { exchangeRaw } from '../support/raw-client.ts';
import { answer } from '../support/stage.ts';
import { ALL_PORTS, connectTo, lookupOf, proxyGatewayPlan, startProxy, startTarget } from './proxy-stage.ts';

const EVERYTHING = ['127.0.0.0/8', '::1', '0.0.0.0/0', '::/0', '*.test', 'localhost'].map((host) => ({
  host,
  ports: ALL_PORTS,
}));

/** The addresses that this machine is reached at. */
const OWN = Object.values(networkInterfaces()).flatMap((ones) =>
  (ones ?? []).filter(({ family }) => family === 'IPv4').map(({ address }) => address),
);

function asWhole(authority: string): string {
  return `GET http://${authority}/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;
}

test('what is not listed is not gone to, and the answer says no more than that', async (t) => {
  const target = await startTarget(t, answer());
  const proxy = await startProxy(t, { allow: [{ host: 'listed.test', ports: [] }] });
  const denied = [`127.0.0.1:${target.port}`, `localhost:${target.port}`, 'listed.test:80', 'other.test:443'];
  for (const authority of denied) {
    for (const ask of [connectTo(authority), asWhole(authority)]) {
      const got = await exchangeRaw(proxy.port, ask);
      assert.match(got, /^HTTP\/1\.1 403 Forbidden\r\n/, authority);
      assert.match(got, /^Connection: close\r$/m);
      assert.match(got, /"title":"This proxy does not go there"/);
      assert.doesNotMatch(got.replace(/^.*requestId.*$/m, ''), /127|test|listed|loopback/);
    }
  }
  assert.equal(target.connections.length, 0);
  assert.equal(proxy.gateway.data.counters.byCode.get('tunnel_denied'), 2 * denied.length);
});

test('other spellings of loopback do not get past the rules', async (t) => {
  const target = await startTarget(t, answer());
  const lookup = lookupOf(Object.fromEntries(['localhost', 'a.test'].map((name) => [name, [['127.0.0.1']]])));
  const allow = ['0.0.0.0/0', '::/0', '*.test', 'localhost'].map((host) => ({ host, ports: ALL_PORTS }));
  const proxy = await startProxy(t, { allow }, { lookup });
  const hosts = [
    ...[
      '127.0.0.1',
      '127.0.0.1.',
      '127.1',
      '2130706433',
      '0x7f000001',
      '0x7f.1',
      '0177.0.0.1',
      '0',
      '0.0.0.0',
    ],
    ...['[::1]', '[::]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[::127.0.0.1]', '[64:ff9b::127.0.0.1]'],
    ...['[2002:7f00:1::]', '[0:0:0:0:0:0:0:1]', 'localhost', 'LOCALHOST', 'localhost.', 'a.test', 'A.TEST.'],
    ...['%6cocalhost', '[::1%25lo]', '169.254.169.254', 'user@127.0.0.1'],
  ];
  for (const host of hosts) {
    for (const ask of [connectTo(`${host}:${target.port}`), asWhole(`${host}:${target.port}`)])
      assert.match(await exchangeRaw(proxy.port, ask), /^HTTP\/1\.1 (?:400|403) /, host);
  }
  assert.equal(target.connections.length, 0);
});

test('a name is checked by where it leads, each time, and a mixture is cut down to what is permitted', async (t) => {
  const target = await startTarget(t, answer());
  const lookup = lookupOf({
    'inside.test': [['127.0.0.1', '::1', '169.254.169.254', 'fe80::1%lo']],
    // of these only what is listed by its address
    'mixed.test': [['127.0.0.3', '127.0.0.2', '::ffff:127.0.0.3']],
  });
  const allow = ['*.test', '127.0.0.2'].map((host) => ({ host, ports: ALL_PORTS }));
  const proxy = await startProxy(t, { allow }, { lookup });
  assert.match(await exchangeRaw(proxy.port, connectTo(`inside.test:${target.port}`)), /^HTTP\/1\.1 403 /);
  assert.match(await exchangeRaw(proxy.port, asWhole(`inside.test:${target.port}`)), /^HTTP\/1\.1 403 /);
  // nobody listens at 127.0.0.2: it is tried, and the target at 127.0.0.1 is not reached by it
  assert.match(await exchangeRaw(proxy.port, connectTo(`mixed.test:${target.port}`)), /^HTTP\/1\.1 502 /);
  assert.equal(target.connections.length, 0);
});

test('a name that leads elsewhere at its next look-up does not get in: neither at once nor later', async (t) => {
  const target = await startTarget(t, answer());
  // 192.0.2.1 (RFC 5737) is nobody's: a connect there ends with the time for it, and then the name is asked for anew
  let asked = 0;
  const answers = lookupOf({ 'rebinds.test': [['192.0.2.1'], ['127.0.0.1']] });
  const lookup: Lookup = (host, done) => {
    answers(host, (error, addresses) => {
      asked += 1;
      done(error, addresses);
    });
  };
  const clock = new ManualClock();
  const proxy = await startProxy(
    t,
    { allow: [{ host: 'rebinds.test', ports: ALL_PORTS }], connectTimeoutMs: 100 },
    { lookup, clock },
  );
  const client = await proxy.client();
  client.send(connectTo(`rebinds.test:${target.port}`));
  await eventually(() => asked === 1);
  let got = '';
  // the first connect fails, by an error or for its time; a second look-up is due a second later
  while (got === '') {
    clock.advance(50);
    got = await Promise.race([client.end(), delay(5, '')]);
  }
  assert.match(got, /^HTTP\/1\.1 50[24] /);
  clock.advance(1_100);
  assert.match(await exchangeRaw(proxy.port, connectTo(`rebinds.test:${target.port}`)), /^HTTP\/1\.1 403 /);
  assert.equal(asked, 2);
  assert.equal(target.connections.length, 0);
});

test('no rule leads to the admin port, nor to a listener of the gateway', async (t) => {
  const target = await startTarget(t, answer());
  const lookup = lookupOf(Object.fromEntries(OWN.map((ip, index) => [`own${index}.test`, [[ip]]])));
  const proxy = await startProxy(
    t,
    { allow: [...EVERYTHING, ...OWN.map((host) => ({ host, ports: ALL_PORTS }))] },
    { lookup, control: ADMIN_ONLY },
  );
  t.after(() => proxy.gateway.control.close());
  const adminPort = Number(new URL(proxy.gateway.adminUrl ?? '').port);
  const hosts = [
    '127.0.0.1',
    '127.0.0.2',
    '[::1]',
    '[::ffff:127.0.0.1]',
    ...OWN,
    ...OWN.map((_, i) => `own${i}.test`),
  ];
  for (const port of [adminPort, proxy.port]) {
    for (const host of hosts) {
      for (const ask of [connectTo(`${host}:${port}`), asWhole(`${host}:${port}`)])
        assert.match(await exchangeRaw(proxy.port, ask), /^HTTP\/1\.1 403 /, `${host}:${port}`);
    }
  }
  // what is listed and not the gateway's own is gone to
  assert.match(await exchangeRaw(proxy.port, asWhole(`127.0.0.1:${target.port}`)), /ok$/);
});

test('CONNECT with a body, or to no host and port, is refused and the connection closed', async (t) => {
  const target = await startTarget(t);
  const proxy = await startProxy(t);
  const authority = `127.0.0.1:${target.port}`;
  const bad = [
    connectTo(authority, 'Content-Length: 5\r\n'),
    connectTo(authority, 'Transfer-Encoding: chunked\r\n'),
    ...['127.0.0.1', '127.0.0.1:', '127.0.0.1:0', '127.0.0.1:65536', '/', '*', `http://${authority}/`].map(
      (target) => connectTo(target),
    ),
  ];
  for (const head of bad) {
    const got = await exchangeRaw(proxy.port, `${head}GET http://${authority}/ HTTP/1.1\r\nHost: x\r\n\r\n`);
    assert.match(got, /^HTTP\/1\.1 400 /, head);
    assert.equal(got.split('HTTP/1.1 ').length, 2, head);
  }
  assert.equal(target.connections.length, 0);
});

test('what follows a refused CONNECT is not taken for a request', async (t) => {
  const target = await startTarget(t, answer());
  const proxy = await startProxy(t, { auth: [{ name: 'a', sha256: '0'.repeat(64) }] });
  const next = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
  const got = await exchangeRaw(proxy.port, connectTo(`127.0.0.1:${target.port}`) + next);
  assert.match(got, /^HTTP\/1\.1 407 [^]*\r\nConnection: close\r\n\r\n\{.*\}\n$/);
  await allQuiet(proxy);
  assert.equal(proxy.ended.length, 1);
});

test('credentials that are malformed, repeated or of another scheme let nobody in', async (t) => {
  const proxy = await startProxy(t, {
    auth: [{ name: 'a', sha256: '9b66d5a4c6c1bd4ff0ae9f0ac77a9ee5a5c3c8b3e2b1f2a0b6f6a26f0d2b3c4d' }],
  });
  const fields = [
    ...[
      '',
      'Proxy-Authorization:\r\n',
      'Proxy-Authorization: Basic\r\n',
      'Proxy-Authorization: Basic !!\r\n',
    ],
    ...['Proxy-Authorization: Bearer YTpi\r\n', 'Authorization: Basic YTpi\r\n'],
    'Proxy-Authorization: Basic YTpi\r\nProxy-Authorization: Basic YTpi\r\n',
  ];
  for (const field of fields)
    assert.match(await exchangeRaw(proxy.port, connectTo('127.0.0.1:443', field)), /^HTTP\/1\.1 407 /, field);
});

test('a reload revokes: tunnels to where no rule leads any more are ended, the others go on', async (t) => {
  const [kept, revoked] = [await startTarget(t), await startTarget(t)];
  const ports = (...targets: readonly { port: number }[]) =>
    targets.map(({ port }) => ({ from: port, to: port }));
  const clock = new ManualClock();
  const proxy = await startProxy(
    t,
    { allow: [{ host: '127.0.0.1', ports: ports(kept, revoked) }] },
    { clock },
  );
  const [stays, goes] = [await proxy.client(), await proxy.client()];
  stays.send(connectTo(`127.0.0.1:${kept.port}`));
  goes.send(connectTo(`127.0.0.1:${revoked.port}`));
  await Promise.all([stays.contains('Established'), goes.contains('Established')]);
  await proxy.gateway.data.apply(proxyGatewayPlan({ allow: [{ host: '127.0.0.1', ports: ports(kept) }] }));
  assert.match(await exchangeRaw(proxy.port, connectTo(`127.0.0.1:${revoked.port}`)), /^HTTP\/1\.1 403 /);
  clock.advance(5_000);
  await goes.end();
  stays.send('still here');
  await kept.until(({ received }) => received === 'still here');
  const counted = proxy.gateway.data.counts().routes.find(({ route }) => route.startsWith('tunnel'));
  assert.deepEqual(counted?.tunnels.ended, { reload: 1 });
  assert.equal(counted?.tunnels.open, 1);
  await proxy.gateway.data.apply(proxyGatewayPlan({}, { listener: { tunnel: undefined } }));
  assert.match(await exchangeRaw(proxy.port, connectTo(`127.0.0.1:${kept.port}`)), /^HTTP\/1\.1 405 /);
  clock.advance(5_000);
  await stays.end();
  await eventually(() => kept.connections.every(({ ended, closed }) => ended || closed));
});
