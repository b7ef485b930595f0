import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { test } from 'node:test';
import { END_STREAM, TYPE } from '../http2-clients/frames.ts';
import { startFrameBackend } from './frame-backend.ts';
import { startH2Backend } from './h2-backend.ts';
import { gatewayBefore } from './h2-stage.ts';

for (const [what, headers] of [
  ['of unknown length', { 'transfer-encoding': 'chunked' }],
  ['of a gRPC call', { 'transfer-encoding': 'chunked', 'content-type': 'application/grpc' }],
  ['of a known length', { 'content-length': '1000' }],
] as const) {
  test(`an upload ${what} whose client leaves is never complete for the backend`, async (t) => {
    const backend = await startFrameBackend(t, () => {});
    const { port } = await gatewayBefore(t, [backend]);
    const client = request({ port, host: '127.0.0.1', method: 'POST', agent: false, headers });
    client.on('error', () => {});
    client.write('some of it');
    await backend.until(() => backend.count(TYPE.DATA) > 0);
    client.destroy();
    await backend.until(() => backend.count(TYPE.RST_STREAM) === 1);
    assert.equal(backend.count(TYPE.DATA), 1);
    assert.equal(backend.count(TYPE.DATA, END_STREAM), 0);
  });
}

test('a backend that answers before it has the whole request ends nothing but that request', async (t) => {
  const backend = await startH2Backend(t, (stream) => {
    stream.once('data', () => {
      stream.respond({ ':status': 413 });
      stream.end('no');
    });
  });
  const { port } = await gatewayBefore(t, [backend]);
  for (let length = 1; length < 100; length += 1) {
    const client = request({ port, host: '127.0.0.1', method: 'POST', agent: false });
    client.on('error', () => {});
    client.setHeader('transfer-encoding', 'chunked');
    client.write('x'.repeat(length * 100));
    // some end in the turn in which the answer comes, some before, and some never
    if (length % 3 === 0) client.end();
    else if (length % 3 === 1) setImmediate(() => client.end('more'));
    const [answer] = await once(client, 'response');
    assert.equal(answer.statusCode, 413);
    answer.resume();
    await once(answer, 'close');
    client.destroy();
  }
});
