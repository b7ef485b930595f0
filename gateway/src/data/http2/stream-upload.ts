import type { ServerHttp2Stream } from 'node:http2';
import type { FailureCode } from '../../errors.ts';
import type { Exchange } from '../exchange.ts';
import type { ListenerContext } from '../http-listener.ts';
import { StreamBody } from './stream-body.ts';

/** Who hears of what comes. */
export interface UploadOwner {
  readonly context: Pick<ListenerContext, 'wheel' | 'refuse'>;
  /** So many bytes of what came were of use. */
  used(bytes: number): void;
}

/** The body of a request on its way from its stream to its exchange: read only while there is a backend that takes it. */
export class StreamUpload {
  readonly #owner: UploadOwner;
  readonly #stream: ServerHttp2Stream;
  readonly #exchange: Exchange;
  readonly #body: StreamBody;
  #listening = false;
  /** What came while no backend was there to take it, and that the end came. */
  #held: Buffer | undefined;
  #endHeld = false;
  #over = false;
  /** Whether something is expected of the client. */
  reading = false;
  /** When it last sent something. */
  heardMs: number;

  /** @param length of the body, or CHUNKED */
  constructor(owner: UploadOwner, stream: ServerHttp2Stream, exchange: Exchange, length: number) {
    this.#owner = owner;
    this.#stream = stream;
    this.#exchange = exchange;
    this.#body = new StreamBody(exchange, length);
    this.heardMs = owner.context.wheel.nowMs;
    // these come when they come, also before anything is read: the end of a body in which there is nothing does
    stream.on('end', () => this.#onEnd());
    stream.on('trailers', (_fields, _flags, raw: readonly string[]) => {
      this.#body.trailers = raw;
    });
  }

  /** What the route takes. */
  limit(maxBytes: number): void {
    this.#body.maxBytes = maxBytes;
  }

  get heldBytes(): number {
    return this.#held?.length ?? 0;
  }

  pause(): void {
    this.reading = false;
    this.#stream.pause();
  }

  resume(): void {
    const exchange = this.#exchange;
    if (this.#over || exchange.bodyComplete) return;
    this.#listen();
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) this.#pass(held);
    if (this.#endHeld) this.#onEnd();
    if (this.#isOver() || exchange.bodyComplete || exchange.backendSide === undefined) return;
    this.reading = true;
    this.heardMs = this.#owner.context.wheel.nowMs;
    this.#stream.resume();
    // head and body leave together if the body is there already
    setImmediate(flushLater, exchange);
  }

  #listen(): void {
    if (!this.#listening) this.#stream.on('data', (bytes: Buffer) => this.#onData(bytes));
    this.#listening = true;
  }

  #isOver(): boolean {
    return this.#over;
  }

  /** Nobody wants the rest. */
  drop(): void {
    this.#over = true;
    this.#held = undefined;
    this.reading = false;
    // what is thrown away was a body all the same, and no flood
    this.#listen();
  }

  #onData(bytes: Buffer): void {
    this.#owner.used(bytes.length);
    this.#pass(bytes);
  }

  #pass(bytes: Buffer): void {
    const exchange = this.#exchange;
    if (this.#over || exchange.bodyComplete) return;
    this.heardMs = this.#owner.context.wheel.nowMs;
    const side = exchange.backendSide;
    if (side === undefined) {
      this.#held = this.#held === undefined ? bytes : Buffer.concat([this.#held, bytes]);
      this.pause();
      return;
    }
    const failure = this.#body.take(bytes);
    if (failure !== undefined) this.#fail(failure);
    else if (side.flush()) this.pause();
  }

  #onEnd(): void {
    // a reset with NO_ERROR is no end, though node:http2 emits one
    if (this.#over || this.#exchange.bodyComplete || this.#stream.closed) return;
    this.#endHeld = this.#exchange.backendSide === undefined;
    if (this.#endHeld) return;
    const failure = this.#body.end();
    if (failure !== undefined) this.#fail(failure);
  }

  #fail(code: FailureCode): void {
    this.#owner.context.refuse(this.#exchange, code);
  }
}

function flushLater(exchange: Exchange): void {
  if (!exchange.ended) exchange.backendSide?.flush();
}
