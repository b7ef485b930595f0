import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { json, started, stillOptions, temporaryFolder, until } from '../../shared/test/support.ts';
import { buildFilesApp } from '../src/files-app.ts';

const MAX_FILE_BYTES = 1024 * 1024;

async function startFiles(t: TestContext) {
  const folder = temporaryFolder(t);
  const app = await buildFilesApp({ ...stillOptions(), folder, maxFileBytes: MAX_FILE_BYTES });
  const url = await started(t, app);
  return { url, folder };
}

const put = (url: string, body: string | Uint8Array<ArrayBuffer>) => fetch(url, { method: 'PUT', body });

test('a file is uploaded, listed, read, replaced and deleted', async (t) => {
  const { url } = await startFiles(t);
  const created = await put(`${url}/a.txt`, 'hello');
  assert.equal(created.status, 201);
  const read = await fetch(`${url}/a.txt`);
  assert.deepEqual([read.status, await read.text()], [200, 'hello']);
  assert.equal(read.headers.get('etag'), created.headers.get('etag'));
  assert.equal(read.headers.get('accept-ranges'), 'bytes');
  assert.equal(read.headers.get('content-type'), 'text/plain; charset=utf-8');

  const replaced = await put(`${url}/a.txt`, 'bye');
  assert.equal(replaced.status, 200);
  assert.notEqual(replaced.headers.get('etag'), created.headers.get('etag'));
  const { files } = (await (await fetch(url)).json()) as { files: { name: string; size: number }[] };
  assert.deepEqual(
    files.map(({ name, size }) => [name, size]),
    [['a.txt', 3]],
  );

  const remove = () =>
    fetch(`${url}/a.txt`, { method: 'DELETE', headers: { 'content-type': 'application/json' } });
  assert.equal((await remove()).status, 204);
  assert.equal((await remove()).status, 404);
  assert.equal((await fetch(`${url}/a.txt`)).status, 404);
});

test('bytes arrive as they were sent, whatever their content type and framing', async (t) => {
  const { url, folder } = await startFiles(t);
  const bytes = Uint8Array.from({ length: 300_000 }, (_, index) => (index * 7) % 256);
  await fetch(`${url}/form`, { method: 'PUT', body: bytes, headers: { 'content-type': 'application/json' } });
  const stream = new ReadableStream({
    start(controller) {
      for (let at = 0; at < bytes.length; at += 10_000) controller.enqueue(bytes.subarray(at, at + 10_000));
      controller.close();
    },
  });
  await fetch(`${url}/chunked`, { method: 'PUT', body: stream, duplex: 'half' } as RequestInit);
  await put(`${url}/empty`, '');
  assert.deepEqual(new Uint8Array(readFileSync(join(folder, 'form'))), bytes);
  assert.deepEqual(new Uint8Array(await (await fetch(`${url}/chunked`)).arrayBuffer()), bytes);
  const empty = await fetch(`${url}/empty`);
  assert.deepEqual([empty.status, empty.headers.get('content-length'), await empty.text()], [200, '0', '']);
});

test('one range is answered with 206, an impossible one with 416, others with the whole', async (t) => {
  const { url } = await startFiles(t);
  await put(`${url}/a.bin`, '0123456789');
  const read = async (range: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`${url}/a.bin`, { headers: { range, ...headers } });
    return [response.status, await response.text(), response.headers.get('content-range')];
  };
  assert.deepEqual(await read('bytes=2-4'), [206, '234', 'bytes 2-4/10']);
  assert.deepEqual(await read('bytes=-3'), [206, '789', 'bytes 7-9/10']);
  assert.deepEqual(await read('bytes=8-99'), [206, '89', 'bytes 8-9/10']);
  assert.deepEqual(await read('bytes=0-1,4-5'), [200, '0123456789', null]);
  const [status, body, range] = await read('bytes=10-');
  assert.deepEqual([status, range], [416, 'bytes */10']);
  assert.match(String(body), /has 10 bytes/);
});

test('If-Range keeps a resumed download from mixing two versions', async (t) => {
  const { url } = await startFiles(t);
  const tag = (await put(`${url}/a.bin`, '0123456789')).headers.get('etag') ?? '';
  const resume = async (ifRange: string) =>
    (await fetch(`${url}/a.bin`, { headers: { range: 'bytes=5-', 'if-range': ifRange } })).status;
  assert.equal(await resume(tag), 206);
  assert.equal(await resume(`W/${tag}`), 200);
  await put(`${url}/a.bin`, '9876543210');
  assert.equal(await resume(tag), 200);
});

test('If-None-Match answers 304; HEAD tells the length and ignores Range', async (t) => {
  const { url } = await startFiles(t);
  const tag = (await put(`${url}/a.bin`, '0123456789')).headers.get('etag') ?? '';
  assert.equal((await fetch(`${url}/a.bin`, { headers: { 'if-none-match': tag } })).status, 304);
  const head = await fetch(`${url}/a.bin`, { method: 'HEAD', headers: { range: 'bytes=0-1' } });
  assert.deepEqual([head.status, head.headers.get('content-length'), await head.text()], [200, '10', '']);
  assert.equal((await fetch(`${url}/none`, { method: 'HEAD' })).status, 404);
});

/** Sends the path as it is; fetch would tidy it up. */
async function rawStatus(url: string, method: string, path: string): Promise<number> {
  const sent = request({ port: new URL(url).port, host: '127.0.0.1', method, path, agent: false });
  sent.end(method === 'PUT' ? 'x' : undefined);
  const [response] = await once(sent, 'response');
  response.resume();
  return response.statusCode;
}

test('names that could leave the folder or hide in it are refused', async (t) => {
  const { url, folder } = await startFiles(t);
  writeFileSync(join(folder, '.hidden'), 'x');
  const names = [
    '..',
    '.',
    '.hidden',
    '.uploads',
    '%2e%2e',
    '..%2fetc',
    '%2fetc%2fpasswd',
    '..%5cx',
    'a%00b',
    'a%20b',
    '-rf',
    '%c3%a4',
    'health',
    'x'.repeat(129),
  ];
  for (const name of names) {
    for (const method of ['GET', 'PUT', 'DELETE']) {
      if (name === 'health' && method === 'GET') continue;
      assert.ok([400, 404].includes(await rawStatus(url, method, `/${name}`)), `${method} /${name}`);
    }
  }
  for (const path of ['/../x', '/a/b', '/a/../../x', '//x/y']) {
    assert.equal(await rawStatus(url, 'PUT', path), 404, path);
  }
  assert.deepEqual(readdirSync(folder).sort(), ['.hidden', '.uploads']);
});

test('folders and symbolic links in the folder are no files', async (t) => {
  const { url, folder } = await startFiles(t);
  mkdirSync(join(folder, 'inner'));
  writeFileSync(join(folder, '.secret'), 'x');
  symlinkSync(join(folder, '.secret'), join(folder, 'link'));
  assert.equal((await fetch(`${url}/inner`)).status, 404);
  assert.equal((await fetch(`${url}/link`)).status, 404);
  const { files } = (await (await fetch(url)).json()) as { files: unknown[] };
  assert.deepEqual(files, []);
});

test('a file over the limit is refused, told of in advance or not, and leaves nothing behind', async (t) => {
  const { url, folder } = await startFiles(t);
  const big = new Uint8Array(MAX_FILE_BYTES + 1);
  const told = await put(`${url}/big`, big);
  assert.equal(told.status, 413);
  assert.match(await told.text(), /at most 1048576 bytes/);
  // not ended: the answer has to come while the upload still goes on
  const untold = request(`${url}/big`, { method: 'PUT', agent: false });
  untold.write(big);
  const [answer] = (await once(untold, 'response')) as [IncomingMessage];
  assert.equal(answer.statusCode, 413);
  untold.end();
  await once(answer.resume(), 'end');
  assert.deepEqual(readdirSync(join(folder, '.uploads')), []);
  assert.equal((await fetch(`${url}/big`)).status, 404);
  assert.equal((await put(`${url}/just`, big.subarray(1))).status, 201);
});

test('a client that goes on sending after its 413 is cut off', async (t) => {
  const { url } = await startFiles(t);
  const endless = request(`${url}/big`, { method: 'PUT', agent: false });
  const [answer] = await Promise.all([
    once(endless, 'response'),
    endless.write(new Uint8Array(MAX_FILE_BYTES + 1)),
  ]);
  assert.equal(answer[0].statusCode, 413);
  answer[0].resume();
  endless.on('error', () => undefined);
  // plain listeners: once() of node:events would turn the reset, which is one way to be cut off, into a failure
  let isCut = false;
  const cut = new Promise<void>((resolve) => {
    endless.once('close', () => {
      isCut = true;
      resolve();
    });
  });
  const drained = () => new Promise<void>((resolve) => endless.once('drain', resolve));
  for (let sent = 0; sent < 64 && !isCut; sent += 1) {
    if (!endless.write(new Uint8Array(1024 * 1024))) await Promise.race([cut, drained()]);
  }
  assert.ok(isCut);
});

test('an upload that breaks off leaves the old file and no temporary one', async (t) => {
  const { url, folder } = await startFiles(t);
  await put(`${url}/a.txt`, 'old');
  const uploads = () => readdirSync(join(folder, '.uploads')).length;
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port) });
  socket.write('PUT /a.txt HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\nnew');
  await until(() => uploads() === 1);
  socket.destroy();
  await until(() => uploads() === 0);
  assert.equal(readFileSync(join(folder, 'a.txt'), 'utf8'), 'old');
});

test('a reader of the old file gets all of it while it is replaced', async (t) => {
  const { url } = await startFiles(t);
  const old = 'o'.repeat(MAX_FILE_BYTES);
  await put(`${url}/a`, old);
  const reading = await fetch(`${url}/a`);
  await put(`${url}/a`, 'n'.repeat(MAX_FILE_BYTES));
  assert.equal(await reading.text(), old);
});

test('/knobs still takes JSON', async (t) => {
  const { url } = await startFiles(t);
  assert.equal((await fetch(`${url}/knobs`, json('PUT', { unhealthy: true }))).status, 200);
  assert.equal((await fetch(`${url}/health`)).status, 503);
});
