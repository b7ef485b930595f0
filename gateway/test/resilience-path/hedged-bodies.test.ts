import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { eventually } from '../relay/gateway-in-test.ts';
import { pattern, sha256 } from '../relay/pattern.ts';
import { retryPlan } from '../support/plans.ts';
import { EAGER, GET, type Path, startPath } from './path-stage.ts';
import type { Asked, Behaviour } from './scripted-backend.ts';

const MIB = 1024 * 1024;
const BODY = pattern(1, 24 * MIB);
const SUM = sha256(BODY);
const STEP = 200_001;

/** Sends what is left of the body, `rounds` times over, as fast as the other side takes it. */
function pour(socket: Socket, wrap: (part: Buffer) => void, rounds = 1, at = 0): void {
  if (socket.destroyed) return;
  const part = rounds === 0 ? Buffer.alloc(0) : BODY.subarray(at, at + STEP);
  wrap(part);
  if (part.length === 0) return;
  const whole = at + part.length === BODY.length;
  const more = (): void => pour(socket, wrap, whole ? rounds - 1 : rounds, whole ? 0 : at + part.length);
  if (socket.writableLength < MIB) setImmediate(more);
  else socket.once('drain', more);
}

const FRAMINGS = {
  length: ({ connection: { socket } }: Asked) => {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${BODY.length}\r\n\r\n`);
    pour(socket, (part) => void socket.write(part));
  },
  chunks: ({ connection: { socket } }: Asked) => {
    socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    pour(socket, (part) => {
      socket.write(`${part.length.toString(16)}\r\n`);
      socket.write(part);
      socket.write('\r\n');
    });
  },
  'until close': ({ connection: { socket } }: Asked) => {
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    pour(socket, (part) => (part.length === 0 ? socket.end() : socket.write(part)));
  },
} as const;

/** Whichever backend is asked first never answers; the other is the hedge, and does. */
async function startRace(t: TestContext, hedge: Behaviour): Promise<Path> {
  let turn = 0;
  const behave: Behaviour = (asked) => (turn++ % 2 === 1 ? hedge(asked) : undefined);
  const retry = retryPlan({ hedge: { kind: 'after', afterMs: 15 } });
  return startPath(t, [behave, behave], { service: { retry } });
}

/** Reads an answer without keeping it; its body unchunked is what is summed up. */
async function readSum(socket: Socket, pauses: number): Promise<string> {
  const hash = createHash('sha256');
  let head = '';
  let chunked: Dechunker | undefined;
  let left = pauses;
  for await (const part of socket as AsyncIterable<Buffer>) {
    let bytes = part;
    if (!head.includes('\r\n\r\n')) {
      const before = head.length;
      head += part.toString('latin1');
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) continue;
      bytes = part.subarray(end + 4 - before);
      if (/\r\ntransfer-encoding: chunked/i.test(head.slice(0, end))) chunked = new Dechunker();
    }
    if (chunked === undefined) hash.update(bytes);
    else for (const piece of chunked.read(bytes)) hash.update(piece);
    if (left-- > 0) await new Promise((resolve) => setTimeout(resolve, 3));
  }
  assert.equal(chunked?.done ?? true, true);
  return hash.digest('hex');
}

/** Chunks without extensions and trailers. */
class Dechunker {
  done = false;
  #line = '';
  #remaining = 0;
  #skip = 0;

  *read(bytes: Buffer): Generator<Buffer> {
    let at = 0;
    while (at < bytes.length) {
      if (this.#remaining > 0) {
        const end = Math.min(bytes.length, at + this.#remaining);
        yield bytes.subarray(at, end);
        this.#remaining -= end - at;
        at = end;
        if (this.#remaining === 0) this.#skip = 2;
      } else if (this.#skip > 0) {
        this.#skip -= 1;
        at += 1;
      } else {
        const char = String.fromCharCode(bytes[at] ?? 0);
        at += 1;
        this.#line += char;
        if (char !== '\n') continue;
        this.#remaining = Number.parseInt(this.#line, 16);
        this.done = this.#remaining === 0;
        if (this.done) this.#skip = 2;
        this.#line = '';
      }
    }
  }
}

for (const [framing, behave] of Object.entries(FRAMINGS)) {
  test(`a large body of a hedge, framed by ${framing}, comes through whole to a client that reads slowly`, async (t) => {
    const path = await startRace(t, behave);
    const client = await path.client();
    client.socket.removeAllListeners('data').pause();
    client.send(GET);
    assert.equal(await readSum(client.socket, 50), SUM);
    assert.equal(path.exchanges[0]?.failure, undefined);
    assert.deepEqual(path.retries, { 'hedge retried': 1 });
    await path.quiet();
  });
}

test('a client that reads nothing stops the backend of the hedge, and gets the rest when it goes on', async (t) => {
  const rounds = 5;
  let hedge: Socket | undefined;
  const path = await startRace(t, ({ connection: { socket } }) => {
    hedge = socket;
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${rounds * BODY.length}\r\n\r\n`);
    pour(socket, (part) => void socket.write(part), rounds);
  });
  const client = await path.client();
  client.socket.removeAllListeners('data').pause();
  client.send(GET);
  await eventually(() => (hedge?.bytesWritten ?? 0) > 0);
  let taken = -1;
  const sent = () => (hedge?.bytesWritten ?? 0) - (hedge?.writableLength ?? 0);
  while (taken !== sent()) {
    taken = sent();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  // the rest is more than what the kernel holds of two connections
  assert.ok(taken < (rounds - 1) * BODY.length, `${taken} bytes were taken`);
  const whole = createHash('sha256');
  for (let round = 0; round < rounds; round++) whole.update(BODY);
  assert.equal(await readSum(client.socket, 0), whole.digest('hex'));
  await path.quiet();
});

test('a client that leaves in the middle of it ends the backend’s connection', async (t) => {
  let hedge: Asked | undefined;
  const path = await startRace(t, (asked) => {
    hedge = asked;
    FRAMINGS.length(asked);
  });
  const client = await path.client();
  client.socket.removeAllListeners('data').pause();
  client.send(GET);
  await eventually(() => (hedge?.connection.socket.bytesWritten ?? 0) > 0);
  client.socket.resetAndDestroy();
  await eventually(() => hedge?.connection.closed === true || hedge?.connection.ended === true);
  await eventually(() => path.exchanges.length === 1);
  assert.equal(path.exchanges[0]?.failure, 'client_left');
  await path.quiet();
});

test('a hedge that breaks off its answer is a visible break, and nothing else is tried', async (t) => {
  const path = await startRace(t, ({ connection }) => {
    connection.socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
  });
  const client = await path.client();
  client.send(GET);
  await eventually(() => client.closed);
  assert.equal(client.error?.code, 'ECONNRESET');
  assert.equal(path.exchanges[0]?.failure, 'backend_truncated');
  assert.equal(path.counts[0], 1);
  assert.equal(path.counts[1], 1);
  await path.quiet();
});

test('answers of both at the same time: the client gets one, whole', async (t) => {
  for (let round = 0; round < 20; round++) {
    const asks: Asked[] = [];
    const both: Behaviour = (asked) => {
      asks.push(asked);
      if (asks.length < 2) return;
      for (const [index, { connection }] of asks.entries()) {
        const body = `${index}`.repeat(20_000);
        connection.socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
      }
    };
    const retry = { ...EAGER, hedge: { kind: 'after', afterMs: 1 } } as const;
    const path = await startPath(t, [both, both], { service: { retry } });
    const { body } = await path.ask();
    assert.match(body, /^(0{20000}|1{20000})$/);
    await path.quiet();
  }
});
