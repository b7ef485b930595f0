import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { plan } from '../support/plans.ts';
import { startGateway } from './gateway-in-test.ts';
import { pattern, sha256 } from './pattern.ts';

const KIB = 1024;
/** Around every size at which the relay changes how it copies, reads or writes. */
const SIZES = [8, 16, 64, 128, 256]
  .flatMap((kib) => [kib * KIB - 1, kib * KIB, kib * KIB + 1])
  .concat(0, 1, 300_000, 3 * KIB * KIB + 7);

type Framing = 'length' | 'chunked' | 'close';

async function readAll(message: IncomingMessage, pauseMs: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of message) {
    parts.push(part as Buffer);
    if (pauseMs > 0) await delay(pauseMs);
  }
  return Buffer.concat(parts);
}

/** Answers `/down?seed&size&framing` with that pattern, and anything with a body with the body's sum. */
async function serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
  const query = new URL(message.url ?? '', 'http://backend').searchParams;
  if (message.method !== 'GET') {
    response.end(sha256(await readAll(message, Number(query.get('pause')))));
    return;
  }
  const body = pattern(Number(query.get('seed')), Number(query.get('size')));
  const framing = query.get('framing');
  if (framing === 'length') response.setHeader('Content-Length', body.length);
  if (framing === 'close') response.shouldKeepAlive = false;
  if (framing === 'close') response.useChunkedEncodingByDefault = false;
  // pieces of uneven size, so that chunk heads fall anywhere in a read
  for (let at = 0, step = 1_000; at < body.length; at += step, step = (step * 7) % 90_001 || 1) {
    if (!response.write(body.subarray(at, at + step))) await once(response, 'drain');
  }
  response.end();
}

async function startPair(t: TestContext) {
  const server = createServer(
    (message, response) => void serve(message, response).catch(() => response.destroy()),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = await startGateway(t, plan([(server.address() as AddressInfo).port]));
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  t.after(() => agent.destroy());
  return { port, agent };
}

async function download(
  port: number,
  agent: Agent,
  seed: number,
  size: number,
  framing: Framing,
  pauseMs: number,
) {
  const path = `/down?seed=${seed}&size=${size}&framing=${framing}`;
  const sent = request({ port, agent, path }).end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const body = await readAll(response, pauseMs);
  assert.equal(body.length, size, `${framing} ${size}`);
  assert.equal(sha256(body), sha256(pattern(seed, size)), `${framing} ${size}`);
}

async function upload(
  port: number,
  agent: Agent,
  seed: number,
  size: number,
  framing: Framing,
  pauseMs: number,
) {
  const body = pattern(seed, size);
  const headers: Record<string, string | number> =
    framing === 'length' ? { 'Content-Length': size } : { 'Transfer-Encoding': 'chunked' };
  const sent = request({ port, agent, method: 'PUT', path: `/?pause=${pauseMs}`, headers });
  for (let at = 0, step = 3_000; at < body.length; at += step, step = (step * 5) % 70_001 || 1) {
    if (!sent.write(body.subarray(at, at + step))) await once(sent, 'drain');
  }
  sent.end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  assert.equal((await readAll(response, 0)).toString(), sha256(body), `${framing} ${size}`);
}

for (const pauseMs of [0, 1]) {
  const reader = pauseMs === 0 ? 'fast' : 'slow';

  test(`bodies down reach ${reader} readers whole, many at once`, async (t) => {
    const { port, agent } = await startPair(t);
    const framings: Framing[] = ['length', 'chunked', 'close'];
    const jobs = framings.flatMap((framing, i) =>
      SIZES.map((size, j) => download(port, agent, i * 100 + j, size, framing, pauseMs)),
    );
    await Promise.all(jobs);
  });

  test(`bodies up reach ${reader} readers whole, many at once`, async (t) => {
    const { port, agent } = await startPair(t);
    const framings: Framing[] = ['length', 'chunked'];
    const jobs = framings.flatMap((framing, i) =>
      SIZES.map((size, j) => upload(port, agent, i * 100 + j, size, framing, pauseMs)),
    );
    await Promise.all(jobs);
  });
}
