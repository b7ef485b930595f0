// A process of its own: `node clients.ts PORT COUNT SEED`: that many clients, each of which makes one request after
// another and walks away in the middle of most. On SIGTERM it prints what they saw, as JSON, and ends.
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const GIVE_UP_MS = 10_000;
const PAUSE_AFTER_ERROR_MS = 20;

const [port = 0, count = 0, seed = 1] = process.argv.slice(2).map(Number);
const tally = { complete: 0, wrong: 0, cut: 0, refused: 0, aborted: 0, silent: 0 };
const agent = new Agent({ keepAlive: true, maxSockets: count });
let nextId = 0;

/** mulberry32: the same seed walks away at the same places. */
function randomFrom(state: number): () => number {
  let at = state;
  return () => {
    at = (at + 0x6d2b79f5) | 0;
    let mixed = Math.imul(at ^ (at >>> 15), 1 | at);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function whole(id: string, body: string): boolean {
  const line = `${id}\n`;
  return body === line.repeat(body.length / line.length);
}

/** A request that is waited for and whose answer is checked. */
function patient(id: string): Promise<void> {
  return new Promise((resolve) => {
    const outgoing = request({ host: '127.0.0.1', port, path: `/${id}`, agent, timeout: GIVE_UP_MS });
    let body = '';
    outgoing.on('response', (incoming) => {
      incoming.setEncoding('latin1').on('data', (chunk: string) => {
        body += chunk;
      });
      incoming.on('error', () => undefined);
      incoming.on('close', () => {
        if (!incoming.complete) tally.cut++;
        else if (incoming.statusCode !== 200) tally.refused++;
        else if (incoming.headers['x-id'] === id && whole(id, body)) tally.complete++;
        else tally.wrong++;
        resolve();
      });
    });
    outgoing.on('timeout', () => {
      tally.silent++;
      outgoing.destroy();
    });
    outgoing.on('error', () => {
      tally.cut++;
      setTimeout(resolve, PAUSE_AFTER_ERROR_MS);
    });
    outgoing.end();
  });
}

/** A client that leaves: after part of the head, of its body, of the answer, or at once after the request. */
function leaving(id: string, kind: number, afterMs: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      const get = `GET /${id} HTTP/1.1\r\nHost: soak.example\r\n`;
      const post = `POST /${id} HTTP/1.1\r\nHost: soak.example\r\nContent-Length: 100000\r\n\r\n`;
      if (kind === 0) socket.write(get);
      else if (kind === 1) socket.write(`${post}${'x'.repeat(40_000)}`);
      else socket.write(`${get}\r\n`);
      setTimeout(() => (kind === 2 ? socket.resetAndDestroy() : socket.destroy()), afterMs);
    });
    socket.resume();
    socket.on('error', () => undefined);
    socket.on('close', () => {
      tally.aborted++;
      setTimeout(resolve, 1);
    });
  });
}

async function client(random: () => number): Promise<void> {
  for (;;) {
    const id = String(nextId++);
    const draw = random();
    if (draw < 0.4) await patient(id);
    else await leaving(id, Math.floor(random() * 4), Math.floor(random() * 15));
    if (draw < 0.01) await sleep(100);
  }
}

process.on('SIGTERM', () => process.stdout.write(`${JSON.stringify(tally)}\n`, () => process.exit(0)));
for (let index = 0; index < count; index++) void client(randomFrom(seed * 1000 + index));
