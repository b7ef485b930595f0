import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually, only, startGateway } from '../relay/gateway-in-test.ts';
import { plan } from '../support/plans.ts';
import { exchangeRaw } from '../support/raw-client.ts';
import { answer, OK } from '../support/stage.ts';
import { connectTo, lookupOf, proxyPlan, startProxy, startTarget } from './proxy-stage.ts';

test('a request for a whole URL is sent on as a proxy has to, and says nothing of the client', async (t) => {
  const target = await startTarget(t, answer());
  const proxy = await startProxy(t);
  const client = await proxy.client();
  client.send(
    `OPTIONS HTTP://127.0.0.1.:${target.port}/a/../b//c?d HTTP/1.1\r\nHost: other.test\r\nX-Own: kept\r\n` +
      'X-Forwarded-For: 10.0.0.1\r\nForwarded: for=10.0.0.1\r\nX-Forwarded-Client-Cert: x\r\nX-Real-IP: 10.0.0.1\r\n' +
      'Proxy-Connection: keep-alive\r\nProxy-Authorization: Basic x\r\nConnection: X-Named, Via\r\nX-Named: gone\r\n' +
      'Via: 1.1 before\r\nMax-Forwards: 5\r\nX-Request-Id: mine\r\nTE: trailers\r\nX_Forwarded_For: 1\r\n\r\n',
  );
  await client.contains('\r\n\r\nok');
  assert.equal(
    target.received,
    `OPTIONS /a/../b//c?d HTTP/1.1\r\nHost: 127.0.0.1:${target.port}\r\nX-Own: kept\r\nVia: 1.1 before\r\n` +
      'X-Request-Id: mine\r\nMax-Forwards: 4\r\nTE: trailers\r\nConnection: TE\r\nVia: 1.1 portway\r\n\r\n',
  );
});

test('connections to a destination are used again, for any client', async (t) => {
  const target = await startTarget(t, answer());
  const proxy = await startProxy(t);
  for (let i = 0; i < 2; i++) {
    const client = await proxy.client();
    for (const path of ['/1', '/2', '/3']) {
      client.received = '';
      client.send(`GET http://127.0.0.1:${target.port}${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
      await client.contains('\r\n\r\nok');
    }
    client.socket.destroy();
  }
  assert.equal(target.connections.length, 1);
});

test('origin-form goes to the routes, beside tunnels and without name and password', async (t) => {
  const backend = await startTarget(t, answer());
  const tunnel = proxyPlan({ auth: [{ name: 'a', sha256: '00' }] });
  const proxy = await startGateway(t, plan([backend.port], { listener: { tunnel } }));
  const client = await proxy.client();
  client.send('GET /here HTTP/1.1\r\nHost: x\r\n\r\n');
  await client.contains('\r\n\r\nok');
  assert.match(backend.received, /^GET \/here HTTP\/1\.1\r\nHost: x\r\n/);
  assert.match(backend.received, /^X-Forwarded-For: 127\.0\.0\.1\r$/m);
});

test('without `tunnel` CONNECT is not served, and a whole URL is routed', async (t) => {
  const backend = await startTarget(t, answer());
  const gateway = await startGateway(t, plan([backend.port]));
  assert.match(await exchangeRaw(gateway.port, connectTo(`127.0.0.1:${backend.port}`)), /^HTTP\/1\.1 405 /);
  const routed = 'GET http://anything.test/path HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
  assert.match(await exchangeRaw(gateway.port, routed), /\r\n\r\nok$/);
  assert.match(backend.received, /^GET \/path HTTP\/1\.1\r\nHost: anything\.test\r\n/);
});

test('what may not leave the gateway is answered here', async (t) => {
  const target = await startTarget(t, answer());
  const proxy = await startProxy(t);
  const ask = (method: string, fields = '') =>
    exchangeRaw(
      proxy.port,
      `${method} http://127.0.0.1:${target.port} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${fields}\r\n`,
    );
  assert.match(await ask('TRACE'), /^HTTP\/1\.1 405 /);
  assert.match(await ask('OPTIONS', 'Max-Forwards: 0\r\n'), /^HTTP\/1\.1 200 OK\r\nAllow: /);
  assert.equal(target.received, '');
  await ask('OPTIONS');
  assert.match(target.received, /^OPTIONS \* HTTP\/1\.1\r\n/);
});

test('a whole URL of https, or of no host, is refused', async (t) => {
  const proxy = await startProxy(t);
  for (const url of [
    'https://127.0.0.1/',
    'http://127.0.0.1:0/',
    'http://127.1/',
    'http://%6cocalhost/',
    'http://[::1%25lo]/',
  ]) {
    const got = await exchangeRaw(proxy.port, `GET ${url} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    assert.match(got, /^HTTP\/1\.1 400 /, url);
  }
});

test('bodies of any size and kind pass both ways, and an answer without length', async (t) => {
  const target = await startTarget(t, (connection, _data) => {
    if (!connection.received.endsWith('0\r\nX-End: 1\r\n\r\n')) return;
    connection.socket.end('HTTP/1.1 200 OK\r\n\r\nuntil the end');
  });
  const proxy = await startProxy(t);
  const client = await proxy.client();
  client.send(
    `POST http://127.0.0.1:${target.port}/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`,
  );
  const chunk = 'x'.repeat(64 * 1024);
  for (let i = 0; i < 40; i++) client.send(`10000\r\n${chunk}\r\n`);
  client.send('0\r\nX-End: 1\r\n\r\n');
  await client.contains('until the end\r\n0\r\n\r\n');
  assert.ok((target.connections[0]?.received.length ?? 0) > 40 * 65_536);
});

test('who cannot be reached is told apart, and nothing of it counts against a backend', async (t) => {
  const closed = await startTarget(t);
  const { port } = closed;
  await closed.stop();
  const proxy = await startProxy(t, {}, { lookup: lookupOf({}) });
  const refused = await exchangeRaw(proxy.port, connectTo(`127.0.0.1:${port}`));
  assert.match(refused, /^HTTP\/1\.1 502 .*\r\n[^]*Proxy-Status: portway; error=connection_refused/);
  const unknown = await exchangeRaw(proxy.port, connectTo('nobody.test:443'));
  assert.match(unknown, /^HTTP\/1\.1 502 [^]*error=dns_error/);
  assert.doesNotMatch(unknown, /ENOTFOUND|nobody/);
  const whole = `GET http://127.0.0.1:${port}/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;
  assert.match(await exchangeRaw(proxy.port, whole), /^HTTP\/1\.1 502 /);
  assert.equal(only(proxy).counters.total, 0);
  await eventually(() => proxy.ended.length === 3);
});

test('access log and explanations are told of the target, and of one route', async (t) => {
  const target = await startTarget(t, (connection, data) => {
    connection.socket.write(data.startsWith('GET') ? OK : data);
  });
  const proxy = await startProxy(t);
  const told: string[] = [];
  proxy.gateway.data.watch({
    samples: undefined,
    ended: (report) => {
      const { method, host, path, status, route, backend, requestId, traceId } = report;
      assert.equal(requestId, traceId);
      told.push([method, host, path, status, route, backend].join(' '));
    },
  });
  const authority = `127.0.0.1:${target.port}`;
  const client = await proxy.client();
  client.send(connectTo(authority));
  await client.contains('Established');
  client.socket.resetAndDestroy();
  await exchangeRaw(proxy.port, `GET http://${authority}/p HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  await exchangeRaw(proxy.port, connectTo('elsewhere.example:443'));
  await eventually(() => told.length === 3);
  assert.deepEqual(told.sort(), [
    `CONNECT ${authority}  200 tunnel 127.0.0.1:0 ${authority}`,
    'CONNECT elsewhere.example:443  403 tunnel 127.0.0.1:0 ',
    `GET ${authority} /p 200 tunnel 127.0.0.1:0 ${authority}`,
  ]);
});
