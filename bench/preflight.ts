import { request } from 'node:http';
import { request as secureRequest } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Case } from './cases.ts';
import { CIPHER } from './certificate.ts';
import { rawAnswer } from './preflight-raw.ts';
import type { Running } from './processes.ts';

const READY_WITHIN_MS = 15_000;
const ASK_AGAIN_MS = 50;
export const ANSWER_WITHIN_MS = 3000;
const BALANCE_REQUESTS = 24;

/** What a gateway was seen to do before it was measured. */
export interface Work {
  /** Backends that answered a short run of requests. */
  readonly backends: number;
  /** Names of the headers that reached the backend, of those Portway adds. */
  readonly headers: readonly string[];
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly backend: string;
}

interface Asked {
  readonly body?: Buffer | undefined;
  readonly secure?: boolean;
}

/** As the load does it; the certificate is its own authority. */
const SECURE = { rejectUnauthorized: false, ciphers: CIPHER, minVersion: 'TLSv1.3' } as const;

/** One request on a connection of its own. Rejects on any failure or after three seconds. */
function ask(port: number, path: string, { body, secure = false }: Asked = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const method = body === undefined ? 'GET' : 'POST';
    const plain = { port, path, method, host: '127.0.0.1', agent: false, timeout: ANSWER_WITHIN_MS };
    const outgoing = secure ? secureRequest({ ...plain, ...SECURE }) : request(plain);
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer within ${ANSWER_WITHIN_MS} ms`)));
    outgoing.on('error', reject);
    outgoing.on('response', (incoming) => {
      let text = '';
      incoming.setEncoding('latin1');
      incoming.on('error', reject);
      incoming.on('data', (chunk: string) => {
        text += chunk;
      });
      incoming.on('end', () => {
        const backend = String(incoming.headers['x-backend'] ?? '');
        resolve({ status: incoming.statusCode ?? 0, body: text, backend });
      });
    });
    if (body !== undefined) outgoing.setHeader('Content-Length', body.length);
    outgoing.end(body);
  });
}

/** Waits until a started process answers 200. Throws when it ends, or does not within 15 s. */
export function whenReady(running: Running, port: number, path: string): Promise<void> {
  return whenAnswering(running, async () => {
    const { status } = await ask(port, path);
    if (status !== 200) throw new Error(`status ${status}`);
  });
}

/** The same of a gateway that is to serve a case. */
export function whenServing(running: Running, port: number, load: Case): Promise<void> {
  return whenAnswering(running, async () => {
    const path = load.direction === 'up' ? '/small' : load.path;
    const { status } = await answerOf(port, load, path);
    if (status !== 200) throw new Error(`status ${status}`);
  });
}

/** Tries until it does not throw. Throws when the process ends, or after 15 s. */
export async function whenAnswering(running: Running, tryOnce: () => Promise<void>): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  let last = 'nothing';
  while (Date.now() < deadline) {
    if (running.ended()) throw new Error(`${running.name} ended at its start:\n${running.tail()}`);
    try {
      await tryOnce();
      return;
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
    await sleep(ASK_AGAIN_MS);
  }
  throw new Error(`${running.name} was not ready after ${READY_WITHIN_MS} ms (${last}):\n${running.tail()}`);
}

/** A gateway that speaks HTTP/2 is asked over HTTP/1.1: what the load speaks, the load says. */
async function answerOf(port: number, { protocol }: Case, path: string, body?: Buffer): Promise<Answer> {
  switch (protocol) {
    case 'http':
      return ask(port, path, { body });
    case 'https':
    case 'h2':
      return ask(port, path, { body, secure: true });
    case 'websocket':
    case 'tcp':
    case 'udp':
      return { status: 200, body: '', backend: await rawAnswer(protocol, port, ANSWER_WITHIN_MS) };
  }
}

/** Checks that a gateway answers the case rightly, and looks at what it does. Throws when an answer is wrong. */
export async function inspect(port: number, load: Case): Promise<Work> {
  const body = load.direction === 'up' ? Buffer.alloc(load.bodyBytes, 'x') : undefined;
  const answer = await answerOf(port, load, load.path, body);
  if (answer.status !== 200) throw new Error(`${load.path} is answered ${answer.status}`);
  if (load.answerBytes !== undefined && answer.body.length !== load.answerBytes) {
    throw new Error(`${load.path} has ${answer.body.length} bytes, not ${load.answerBytes}`);
  }
  // the backend answers the length of the request it read: head and body
  if (body !== undefined && Number(answer.body) < body.length)
    throw new Error(`the backend read ${answer.body} bytes`);
  // at once, because a balancer that goes by pending requests has nothing to go by between single ones
  const burst = Array.from({ length: BALANCE_REQUESTS }, () => answerOf(port, load, load.path, body));
  const seen = new Set((await Promise.all(burst)).map((each) => each.backend));
  if (load.routes > 1 || load.unit !== 'request') return { backends: seen.size, headers: [] };
  const echoed = (await answerOf(port, load, '/echo')).body.split('\n');
  const headers = echoed.filter((line) => /: ./.test(line)).map((line) => line.slice(0, line.indexOf(':')));
  return { backends: seen.size, headers };
}
