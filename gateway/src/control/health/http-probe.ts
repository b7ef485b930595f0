import { type ClientRequest, type IncomingMessage, request as sendRequest } from 'node:http';
import type { Socket } from 'node:net';
import type { ProbePlan } from '../../data/plan.ts';
import { BodyText } from './body-text.ts';
import { Http2Question } from './http2-question.ts';
import { type ProbeContext, type ProbeDone, type ProbeHooks, ProbeRun, type ProbeTarget } from './probe.ts';
import { endWithError, readableMs } from './probe-reason.ts';
import { authorityOf, probeSocket, speaksHttp2 } from './probe-socket.ts';

type HttpProbePlan = Extract<ProbePlan, { readonly type: 'http' }>;

const MAX_HEAD_BYTES = 16 * 1024;

/** What the probe waits for, and what is said when the time for it is over. */
const WAITING = {
  connection: 'no connection within',
  handshake: 'no TLS handshake within',
  answer: 'no answer within',
  body: 'answer incomplete after',
} as const;

/** Sends one GET on a connection of its own and judges the answer: its status, and the text in its first 64 KiB. */
export function startHttpProbe(
  context: ProbeContext,
  target: ProbeTarget,
  plan: HttpProbePlan,
  done: ProbeDone,
): () => void {
  const probe = new HttpProbe(context, target, plan, done);
  return () => probe.run.abort();
}

class HttpProbe implements ProbeHooks {
  readonly run: ProbeRun;
  readonly #context: ProbeContext;
  readonly #target: ProbeTarget;
  readonly #plan: HttpProbePlan;
  readonly #body: BodyText;
  #waitingFor: keyof typeof WAITING = 'connection';
  #socket: Socket | undefined;
  #status = '';
  #request: ClientRequest | undefined;
  #question: Http2Question | undefined;

  constructor(context: ProbeContext, target: ProbeTarget, plan: HttpProbePlan, done: ProbeDone) {
    this.#context = context;
    this.#target = target;
    this.#plan = plan;
    this.#body = new BodyText(plan.body);
    this.run = new ProbeRun(context.wheel, target.timeoutMs, done, this);
    try {
      if (speaksHttp2(target.backend)) this.#sendOverHttp2();
      else this.#send();
    } catch (error) {
      endWithError(this.run, error);
    }
  }

  close(): void {
    this.#request?.destroy();
    this.#question?.close();
    this.#socket?.destroy();
  }

  timeUp(): void {
    this.run.end('timeout', `${WAITING[this.#waitingFor]} ${readableMs(this.#target.timeoutMs)}`);
  }

  #send(): void {
    const { backend } = this.#target;
    const request = sendRequest({
      // a socket of its own: without an agent node:http neither keeps nor shares it
      createConnection: () => this.#connect(),
      path: this.#plan.path,
      headers: {
        host: this.#plan.host ?? authorityOf(backend),
        ...this.#fields(),
        connection: 'close',
      },
      maxHeaderSize: MAX_HEAD_BYTES,
    });
    this.#request = request;
    request.on('error', (error) => endWithError(this.run, error));
    request.on('response', (response) => this.#judge(response));
    request.on('upgrade', (response: IncomingMessage) => this.#judge(response));
    request.end();
  }

  #connect(): Socket {
    const socket = probeSocket(this.#context, this.#target, {
      reached: (what) => this.#reached(what),
      failed: (error) => endWithError(this.run, error),
    });
    this.#socket = socket;
    return socket;
  }

  #sendOverHttp2(): void {
    const { path, host } = this.#plan;
    const authority = host === undefined ? {} : { ':authority': host };
    const { connection: _, 'transfer-encoding': __, upgrade: ___, ...fields } = this.#fields();
    const all = { ':method': 'GET', ':path': path, ...authority, ...fields };
    this.#question = new Http2Question(this.#context, this.#target, all, undefined, {
      reached: (what) => this.#reached(what),
      failed: (error) => endWithError(this.run, error),
      head: (status) => this.#judgeStatus(status),
      bytes: (bytes) => this.#onBytes(bytes),
      end: () => this.#bodyEnded(),
    });
  }

  #fields(): Record<string, string> {
    return { 'user-agent': 'portway-health', accept: '*/*', ...lowerCased(this.#plan.headers) };
  }

  #reached(waitingFor: keyof typeof WAITING): void {
    this.#waitingFor = waitingFor;
  }

  #judge(response: IncomingMessage): void {
    response.on('error', () => this.run.end('failure', 'connection closed in the middle of the answer'));
    this.#judgeStatus(response.statusCode ?? 0);
    if (this.run.ended) return;
    // what follows is another protocol, not a body
    if (response.statusCode === 101) this.#bodyEnded();
    else this.#readBody(response);
  }

  #judgeStatus(status: number): void {
    const { minStatus, maxStatus } = this.#plan;
    this.#status = `status ${status}`;
    if (status < minStatus || status > maxStatus) this.run.end('failure', this.#status);
    else this.#reached('body');
  }

  #readBody(response: IncomingMessage): void {
    response.on('data', (bytes: Buffer) => this.#onBytes(bytes));
    // a body that is cut off ends in 'error', never in 'end'
    response.on('end', () => this.#bodyEnded());
  }

  #onBytes(bytes: Buffer): void {
    this.#body.read(bytes);
    if (this.#body.decided) this.#bodyEnded();
  }

  #bodyEnded(): void {
    if (this.#body.lacks === undefined) this.run.end('success', this.#status);
    else this.run.end('failure', `body lacks ${JSON.stringify(this.#body.lacks)}`);
  }
}

/** So that a field of the plan replaces ours of the same name. */
function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
