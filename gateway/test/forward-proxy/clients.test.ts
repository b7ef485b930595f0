import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { Agent, createServer, get, type IncomingMessage, request, type Server } from 'node:http';
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { promisify } from 'node:util';
import { type RawData, WebSocket, WebSocketServer } from 'ws';
import { makeCertificate } from '../agents/certificates.ts';
import { allQuiet, eventually } from '../relay/gateway-in-test.ts';
import { sha256 } from '../relay/pattern.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { tlsPlan } from '../tls/tls-stage.ts';
import { startProxy } from './proxy-stage.ts';

const run = promisify(execFile);

const USERS = [{ name: 'ann', sha256: sha256('ann:s3cret:ü') }];

/** What curl prints; `code` is its exit code. */
async function curl(...args: readonly string[]): Promise<{ out: string; error: string; code: number }> {
  try {
    const { stdout, stderr } = await run('curl', ['-sS', '--max-time', '20', ...args]);
    return { out: stdout, error: stderr, code: 0 };
  } catch (failure) {
    const { stdout, stderr, code } = failure as { stdout: string; stderr: string; code: number };
    return { out: stdout, error: stderr, code };
  }
}

async function listening(t: TestContext, server: Server | SecureServer): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

/** Answers with what it was asked. */
function echo(t: TestContext): Promise<number> {
  const server = createServer(async (incoming, response) => {
    const body = await text(incoming);
    const { method, url, rawHeaders } = incoming;
    response.end(JSON.stringify({ method, url, fields: rawHeaders, body }));
  });
  return listening(t, server);
}

async function secureTarget(t: TestContext): Promise<{ port: number; caFile: string; ca: string }> {
  const { key, cert, ca } = makeCertificate({ names: ['IP:127.0.0.1'] });
  const folder = temporaryFolder(t);
  const caFile = join(folder, 'ca.pem');
  writeFileSync(caFile, ca);
  const server = createSecureServer({ key, cert }, ({ url }, response) => response.end(`secure ${url}`));
  return { port: await listening(t, server), caFile, ca };
}

test('curl gets https through CONNECT, and http by asking for the whole URL', async (t) => {
  const proxy = await startProxy(t);
  const { port, caFile } = await secureTarget(t);
  const url = `http://127.0.0.1:${proxy.port}`;
  const secure = await curl('-x', url, '--cacert', caFile, `https://127.0.0.1:${port}/a?b`);
  assert.deepEqual(secure, { out: 'secure /a?b', error: '', code: 0 });
  const plainPort = await echo(t);
  const plain = await curl('-x', url, '-d', 'hello', `http://127.0.0.1:${plainPort}/c?d=%2F`);
  const { method, url: path, fields, body } = JSON.parse(plain.out);
  assert.deepEqual([method, path, body], ['POST', '/c?d=%2F', 'hello']);
  assert.deepEqual(fields.slice(0, 2), ['Host', `127.0.0.1:${plainPort}`]);
  assert.doesNotMatch(fields.join('\n'), /forwarded|proxy-|x-request-id|traceparent/i);
  assert.match(fields.join('\n'), /^Via\n1\.1 portway$/m);
  await allQuiet(proxy);
  const [, counted] = proxy.gateway.data.counts().routes;
  assert.equal(counted?.tunnels.opened, 1);
  assert.equal(counted?.tunnels.open, 0);
  assert.deepEqual(
    counted?.traffic.byKind.map(({ kind, status, count }) => `${kind} ${status} ${count}`).sort(),
    ['CONNECT 200 1', 'POST 200 1'],
  );
});

test('who cannot say name and password is asked for them, for tunnels and whole URLs', async (t) => {
  const proxy = await startProxy(t, { auth: USERS });
  const { port, caFile } = await secureTarget(t);
  const plainPort = await echo(t);
  const url = `127.0.0.1:${proxy.port}`;
  const ask = (user: string) =>
    curl('-x', `http://${user}${url}`, '--cacert', caFile, `https://127.0.0.1:${port}/`);
  assert.equal((await ask('ann:s3cret%3A%C3%BC@')).out, 'secure /');
  for (const user of ['', 'ann:wrong@', 'bob:s3cret%3A%C3%BC@', 'ann@', ':@']) {
    const refused = await ask(user);
    assert.equal(refused.code, 56, user);
    assert.match(refused.error, /CONNECT tunnel failed, response 407/, user);
  }
  const whole = `http://127.0.0.1:${plainPort}/`;
  const refused = await curl('-i', '-x', url, whole);
  assert.match(refused.out, /^HTTP\/1\.1 407 /);
  assert.match(refused.out, /^Proxy-Authenticate: Basic realm="portway", charset="UTF-8"\r$/m);
  const passed = await curl('-x', `http://ann:s3cret%3A%C3%BC@${url}`, whole);
  assert.doesNotMatch(passed.out, /proxy-authorization|s3cret/i);
  assert.equal(JSON.parse(passed.out).method, 'GET');
  const rejected = proxy.gateway.data.counters.byCode;
  assert.equal(rejected.get('proxy_auth_required'), 6);
});

test('a client that speaks HTTP/1.0 to proxies gets its tunnel', async (t) => {
  const proxy = await startProxy(t);
  const { port, caFile } = await secureTarget(t);
  const got = await curl(
    '--proxy1.0',
    `127.0.0.1:${proxy.port}`,
    '--cacert',
    caFile,
    `https://127.0.0.1:${port}/x`,
  );
  assert.deepEqual(got, { out: 'secure /x', error: '', code: 0 });
});

test('the way to the proxy may be TLS itself', async (t) => {
  const { key, cert, ca } = makeCertificate({ names: ['IP:127.0.0.1'] });
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'ca.pem'), ca);
  const tls = tlsPlan([{ names: [], cert, key }]);
  const proxy = await startProxy(t, { auth: USERS }, {}, { listener: { tls } });
  const { port, caFile } = await secureTarget(t);
  const plainPort = await echo(t);
  const by = ['-x', `https://ann:s3cret%3A%C3%BC@127.0.0.1:${proxy.port}`];
  const trust = ['--proxy-cacert', join(folder, 'ca.pem'), '--cacert', caFile];
  const secure = await curl(...by, ...trust, `https://127.0.0.1:${port}/both`);
  assert.deepEqual(secure, { out: 'secure /both', error: '', code: 0 });
  const plain = await curl(...by, ...trust, `http://127.0.0.1:${plainPort}/`);
  assert.equal(JSON.parse(plain.out).method, 'GET');
});

/** The socket of a CONNECT by Node's client. */
async function tunnelTo(proxyPort: number, path: string): Promise<Socket> {
  const asking = request({ port: proxyPort, host: '127.0.0.1', method: 'CONNECT', path });
  asking.end();
  const [response, socket] = (await once(asking, 'connect')) as [IncomingMessage, Socket];
  assert.equal(response.statusCode, 200);
  return socket;
}

test("Node's client speaks TLS through a tunnel", async (t) => {
  const proxy = await startProxy(t);
  const { port, ca } = await secureTarget(t);
  const socket = await tunnelTo(proxy.port, `127.0.0.1:${port}`);
  const secure = connectTls({ socket, ca, host: '127.0.0.1' });
  await once(secure, 'secureConnect');
  secure.write('GET /node HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  assert.match(await text(secure), /secure \/node$/);
});

test('WebSockets go through a tunnel, and by a whole URL with Upgrade', async (t) => {
  const proxy = await startProxy(t);
  const server = createServer();
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => socket.on('message', (data: RawData) => socket.send(`got ${data}`)));
  const port = await listening(t, server);
  const tunnel = await tunnelTo(proxy.port, `127.0.0.1:${port}`);
  const through = new WebSocket(`ws://127.0.0.1:${port}/`, { createConnection: () => tunnel });
  t.after(() => through.terminate());
  await once(through, 'open');
  through.send('one');
  assert.equal(`${(await once(through, 'message'))[0]}`, 'got one');
  const asking = get({
    ...{ port: proxy.port, host: '127.0.0.1', path: `http://127.0.0.1:${port}/`, agent: new Agent() },
    headers: {
      Host: 'elsewhere',
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    },
  });
  const [response, upgraded] = (await once(asking, 'upgrade')) as [IncomingMessage, Socket];
  assert.equal(response.headers['sec-websocket-accept'], 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
  const route = proxy.gateway.data.listeners[0]?.ownRoutes[0];
  assert.equal(route?.tunnels.open, 2);
  upgraded.destroy();
  through.close();
  await eventually(() => route?.tunnels.open === 0);
});
