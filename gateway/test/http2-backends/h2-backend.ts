import { once } from 'node:events';
import {
  createSecureServer,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type ServerOptions,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import type { BackendPlan } from '../../src/data/plan.ts';
import type { Certificate } from '../agents/certificates.ts';
import { backendPlan } from '../support/plans.ts';

/** What a backend does with one request. `raw` has names and values in turn. */
export type OnRequest = (
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  raw: readonly string[],
) => void;

export interface H2Backend {
  readonly port: number;
  readonly plan: BackendPlan;
  /** All sessions there were. */
  readonly sessions: readonly ServerHttp2Session[];
  /** Streams of all sessions so far. */
  readonly requests: number;
  /** Takes no further connections, and ends the sessions as told. */
  stop(how?: 'goaway' | 'destroy'): Promise<void>;
}

export interface H2BackendOptions {
  readonly port?: number;
  /** With one it speaks TLS. */
  readonly certificate?: Certificate;
  readonly settings?: ServerOptions['settings'];
}

/** A backend on node:http2 that ends with the test. */
export async function startH2Backend(
  t: TestContext,
  onRequest: OnRequest,
  { port = 0, certificate, settings = {} }: H2BackendOptions = {},
): Promise<H2Backend> {
  const server: Http2Server =
    certificate === undefined
      ? createServer({ settings })
      : createSecureServer({ settings, key: certificate.key, cert: certificate.cert });
  const sessions: ServerHttp2Session[] = [];
  const state = { requests: 0 };
  server.on('session', (session) => {
    sessions.push(session);
    session.on('error', () => {});
  });
  server.on('sessionError', () => {});
  server.on('stream', (stream: ServerHttp2Stream, headers, _flags, raw: unknown) => {
    state.requests += 1;
    stream.on('error', () => {});
    onRequest(stream, headers, raw as readonly string[]);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const stop = async (how: 'goaway' | 'destroy' = 'destroy'): Promise<void> => {
    for (const session of sessions) {
      if (how === 'goaway') session.close();
      else session.destroy();
    }
    if (!server.listening) return;
    server.close();
    await once(server, 'close');
  };
  t.after(() => stop());
  const used = (server.address() as AddressInfo).port;
  return {
    port: used,
    plan: backendPlan(used, { protocol: certificate === undefined ? 'h2c' : 'h2' }),
    sessions,
    get requests() {
      return state.requests;
    },
    stop,
  };
}

/** Reads what is left of a request's body. */
export async function bodyOf(stream: ServerHttp2Stream): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

/** Answers with `text`. */
export function say(stream: ServerHttp2Stream, text: string, status = 200): void {
  stream.respond({ ':status': status, 'content-type': 'text/plain' });
  stream.end(text);
}
