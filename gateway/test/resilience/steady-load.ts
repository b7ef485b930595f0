import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';

export type Method = 'GET' | 'PUT' | 'POST';

/** A request that was not answered 200, or not whole. */
export interface FailedRequest {
  readonly method: Method;
  readonly id: string;
  /** 0: no answer, or a broken one. */
  readonly status: number;
  /** The gateway's own, from its problem document. */
  readonly code: string;
  readonly detail: string;
  readonly requestId: string;
  readonly at: string;
  readonly tookMs: number;
}

export interface LoadOptions {
  readonly port: number;
  readonly perSecond?: number;
  /** What is sent, over and over, in this order. */
  readonly methods?: readonly Method[];
}

const TICK_MS = 5;
/** Longer than any scenario should make a request wait. */
const PATIENCE_MS = 10_000;
const MIXED: readonly Method[] = ['GET', 'GET', 'GET', 'GET', 'PUT', 'GET', 'GET', 'GET', 'GET', 'POST'];

/** Requests at a steady rate on keep-alive connections, however long their answers take (an open loop). */
export class SteadyLoad {
  readonly failures: FailedRequest[] = [];
  /** The ids of POSTs that were answered 200. */
  readonly posted: string[] = [];
  readonly tookMs: number[] = [];
  readonly #options: Required<LoadOptions>;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #timer: NodeJS.Timeout;
  readonly #startedMs = performance.now();
  #sent = 0;
  #answered = 0;
  #lookedFor = { count: Number.POSITIVE_INFINITY, reached: (): void => {} };

  constructor(options: LoadOptions) {
    this.#options = { perSecond: 400, methods: MIXED, ...options };
    this.#timer = setInterval(() => this.#sendDue(), TICK_MS);
  }

  get answered(): number {
    return this.#answered;
  }

  /** Resolves when `count` more requests were answered, in whatever way. One at a time. */
  more(count: number): Promise<void> {
    return new Promise((reached) => {
      this.#lookedFor = { count: this.#answered + count, reached };
    });
  }

  /** Sends no more, and resolves when all are answered. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    const open = this.#sent - this.#answered;
    if (open > 0) await this.more(open);
    this.#agent.destroy();
  }

  #sendDue(): void {
    const due = ((performance.now() - this.#startedMs) * this.#options.perSecond) / 1_000;
    while (this.#sent < due) {
      this.#sent += 1;
      void this.#send(String(this.#sent));
    }
  }

  async #send(id: string): Promise<void> {
    const { methods } = this.#options;
    const method = methods[Number(id) % methods.length] ?? 'GET';
    const startedMs = performance.now();
    const failure = await this.#exchange(method, id).catch((error: Error) => ({
      status: 0,
      code: '',
      detail: error.message,
      requestId: '',
    }));
    const tookMs = performance.now() - startedMs;
    if (failure === undefined) this.tookMs.push(tookMs);
    else
      this.failures.push({
        method,
        id,
        at: new Date().toISOString(),
        tookMs: Math.round(tookMs),
        ...failure,
      });
    this.#answered += 1;
    if (this.#answered === this.#lookedFor.count) this.#lookedFor.reached();
  }

  async #exchange(
    method: Method,
    id: string,
  ): Promise<Pick<FailedRequest, 'status' | 'code' | 'detail' | 'requestId'> | undefined> {
    const sent = request({
      port: this.#options.port,
      agent: this.#agent,
      method,
      path: '/',
      headers: { 'x-id': id },
      signal: AbortSignal.timeout(PATIENCE_MS),
    }).end(method === 'GET' ? undefined : 'some body');
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    let body = '';
    for await (const bytes of response) body += bytes;
    const status = response.statusCode ?? 0;
    if (status === 200) {
      if (method === 'POST') this.posted.push(id);
      return undefined;
    }
    const code = /"code":"(\w+)"/.exec(body)?.[1] ?? '';
    return { status, code, detail: body, requestId: String(response.headers['x-request-id']) };
  }
}
