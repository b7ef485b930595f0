import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent, get } from 'node:http';
import { connect } from 'node:net';
import { test } from 'node:test';
import { buildService } from '../src/service.ts';
import { json, started, stillOptions, until } from './support.ts';

test('every answer names its instance: health, no such path, bad URL, bad JSON, error', async (t) => {
  const { app } = buildService('demo', stillOptions());
  app.post('/', () => 'ok');
  const url = await started(t, app);
  const name = `demo-${new URL(url).port}`;
  const answers = await Promise.all([
    fetch(`${url}/health`),
    fetch(`${url}/nothing`),
    fetch(`${url}/%zz`),
    fetch(url, { method: 'POST', body: '{', headers: { 'content-type': 'application/json' } }),
    fetch(url, { method: 'POST', body: '<a/>', headers: { 'content-type': 'text/xml' } }),
  ]);
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 404, 400, 400, 415],
  );
  for (const answer of answers) assert.equal(answer.headers.get('x-instance'), name, answer.url);
  assert.deepEqual(await answers[0]?.json(), { status: 'ok', service: 'demo', instance: name });
});

test('a given instance name wins over the port', async (t) => {
  const { app } = buildService('demo', stillOptions({ instance: 'blue' }));
  const url = await started(t, app);
  assert.equal((await fetch(`${url}/health`)).headers.get('x-instance'), 'blue');
});

test('an empty body with a content type is no body', async (t) => {
  const { app } = buildService('demo', stillOptions());
  app.delete('/', (request) => ({ body: request.body ?? null }));
  const url = await started(t, app);
  for (const type of ['application/json', 'application/x-www-form-urlencoded', 'nonsense']) {
    const response = await fetch(url, { method: 'DELETE', headers: { 'content-type': type } });
    assert.deepEqual([response.status, await response.json()], [200, { body: null }], type);
  }
  const chunked = connect({ host: '127.0.0.1', port: Number(new URL(url).port) });
  t.after(() => chunked.destroy());
  chunked.write(
    'DELETE / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
  );
  assert.match(String((await once(chunked, 'data'))[0]), /^HTTP\/1.1 200 /);
});

test('an internal error is a 500 that tells the client nothing of its cause', async (t) => {
  const { app } = buildService('demo', stillOptions());
  app.get('/', () => Promise.reject(new Error('the secret')));
  const written = t.mock.method(process.stderr, 'write', () => true);
  const url = await started(t, app);
  const response = await fetch(url);
  const text = await response.text();
  written.mock.restore();
  assert.equal(response.status, 500);
  assert.doesNotMatch(text, /secret/);
  assert.match(String(written.mock.calls[0]?.arguments[0]), /the secret/);
});

test('idle connections are kept for 5 s and the client is told', async (t) => {
  const { app } = buildService('demo', stillOptions());
  const url = await started(t, app);
  const agent = new Agent({ keepAlive: true });
  t.after(() => agent.destroy());
  const [response] = (await once(get(`${url}/health`, { agent }), 'response')) as [IncomingMessage];
  response.resume();
  assert.equal(response.headers['keep-alive'], 'timeout=5');
});

test('close lets a request in flight finish and then ends its connection', async (t) => {
  const { app } = buildService('demo', stillOptions());
  const arrived = Promise.withResolvers<void>();
  const finish = Promise.withResolvers<string>();
  const closing = Promise.withResolvers<void>();
  app.addHook('preClose', async () => closing.resolve());
  app.post('/', () => {
    arrived.resolve();
    return finish.promise;
  });
  const url = await started(t, app);
  const answer = fetch(url, json('POST', {}));
  await arrived.promise;
  const closed = app.close();
  await closing.promise;
  finish.resolve('finished');
  const response = await answer;
  assert.equal(await response.text(), 'finished');
  assert.equal(response.headers.get('connection'), 'close');
  await closed;
});

test('close does not wait for the keep-alive of an answer begun before it', async (t) => {
  const { app } = buildService('demo', stillOptions());
  const arrived = Promise.withResolvers<ServerResponse>();
  app.get('/', (_request, reply) => {
    reply.hijack();
    reply.raw.writeHead(200, { 'content-length': '4' }).flushHeaders();
    arrived.resolve(reply.raw);
  });
  const url = await started(t, app);
  // for ever, as far as this test goes; and a client that never closes by itself
  app.server.keepAliveTimeout = 600_000;
  const client = connect({ host: '127.0.0.1', port: Number(new URL(url).port), allowHalfOpen: true });
  t.after(() => client.destroy());
  client.resume().write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  const response = await arrived.promise;
  const closed = app.close();
  await until(() => !app.server.listening);
  response.end('done');
  await closed;
});
