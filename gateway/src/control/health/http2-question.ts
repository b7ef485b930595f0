import {
  type ClientHttp2Session,
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  connect as openSession,
} from 'node:http2';
import type { Socket } from 'node:net';
import type { ProbeContext, ProbeTarget } from './probe.ts';
import { agreedToHttp2, authorityOf, probeSocket, type SocketHooks, schemeOf } from './probe-socket.ts';

/** Told of the answer, in this order. */
export interface AnswerHooks extends SocketHooks {
  head(status: number, fields: IncomingHttpHeaders): void;
  bytes(bytes: Buffer): void;
  /** With the trailers, where there are any. */
  end(trailers: IncomingHttpHeaders): void;
}

const MAX_HEAD_BYTES = 16 * 1024;

/** One request over HTTP/2, on a connection of its own. */
export class Http2Question {
  readonly #hooks: AnswerHooks;
  readonly #socket: Socket;
  #session: ClientHttp2Session | undefined;
  #trailers: IncomingHttpHeaders = {};

  /** @throws Error for authorities that cannot be parsed */
  constructor(
    context: ProbeContext,
    target: ProbeTarget,
    fields: OutgoingHttpHeaders,
    body: Buffer | undefined,
    hooks: AnswerHooks,
  ) {
    this.#hooks = hooks;
    const { backend } = target;
    const own = { ':scheme': schemeOf(backend), ':authority': authorityOf(backend) };
    const socket = probeSocket(context, target, {
      failed: (error) => hooks.failed(error),
      reached: (what) => {
        hooks.reached(what);
        if (what === 'answer') this.#ask({ ...own, ...fields }, body);
      },
    });
    this.#socket = socket;
    // a FIN before the session is there is told by nothing else
    socket.on('close', () => hooks.failed(CLOSED));
  }

  close(): void {
    this.#session?.destroy();
    this.#socket.destroy();
  }

  #ask(fields: OutgoingHttpHeaders, body: Buffer | undefined): void {
    const socket = this.#socket;
    if (!agreedToHttp2(socket)) {
      this.#hooks.failed(new Error('the backend does not speak HTTP/2'));
      return;
    }
    const session = openSession('http://backend', {
      createConnection: () => socket,
      settings: { enablePush: false, maxHeaderListSize: MAX_HEAD_BYTES },
    });
    this.#session = session;
    session.on('error', (error) => this.#hooks.failed(error));
    session.on('goaway', (code) => {
      if (code !== constants.NGHTTP2_NO_ERROR) this.#hooks.failed(new Error(`GOAWAY with code ${code}`));
    });
    const stream = session.request(fields, { endStream: body === undefined });
    stream.on('error', (error) => this.#hooks.failed(error));
    stream.on('response', (answer) => this.#hooks.head(Number(answer[':status'] ?? 0), answer));
    stream.on('trailers', (trailers) => {
      this.#trailers = trailers;
    });
    stream.on('data', (bytes: Buffer) => this.#hooks.bytes(bytes));
    stream.on('end', () => {
      // one that was reset ends too, but is closed by then
      if (stream.rstCode === constants.NGHTTP2_NO_ERROR) this.#hooks.end(this.#trailers);
    });
    stream.on('close', () => this.#hooks.failed(CLOSED));
    if (body !== undefined) stream.end(body);
  }
}

const CLOSED = new Error('connection closed in the middle of the answer');
