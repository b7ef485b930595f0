import type { IncomingHttpHeaders } from 'node:http2';
import type { ProbePlan } from '../../data/plan.ts';
import { CHECK_PATH, checkRequest, readServingStatus } from './grpc-health.ts';
import { Http2Question } from './http2-question.ts';
import { type ProbeContext, type ProbeDone, ProbeRun, type ProbeTarget } from './probe.ts';
import { endWithError, readableMs } from './probe-reason.ts';

type GrpcProbePlan = Extract<ProbePlan, { readonly type: 'grpc' }>;

/** Far more than the answer takes: what is longer is none. */
const MAX_BYTES = 1024;
const MAX_MESSAGE_CHARS = 100;

/** Asks the backend's own health service (grpc.health.v1.Health/Check): SERVING is good, all else is not. */
export function startGrpcProbe(
  context: ProbeContext,
  target: ProbeTarget,
  plan: GrpcProbePlan,
  done: ProbeDone,
): () => void {
  const probe = new GrpcProbe(context, target, plan, done);
  return () => probe.run.abort();
}

class GrpcProbe {
  readonly run: ProbeRun;
  #question: Http2Question | undefined;
  #waitingFor = 'connection';
  #fields: IncomingHttpHeaders = {};
  #body: Buffer = Buffer.alloc(0);

  constructor(context: ProbeContext, target: ProbeTarget, plan: GrpcProbePlan, done: ProbeDone) {
    const { timeoutMs } = target;
    this.run = new ProbeRun(context.wheel, timeoutMs, done, {
      close: () => this.#question?.close(),
      timeUp: () => this.run.end('timeout', `no ${this.#waitingFor} within ${readableMs(timeoutMs)}`),
    });
    const fields = {
      ':method': 'POST',
      ':path': CHECK_PATH,
      'content-type': 'application/grpc',
      te: 'trailers',
      'user-agent': 'portway-health',
      'grpc-timeout': `${Math.ceil(timeoutMs)}m`,
    };
    try {
      this.#question = new Http2Question(context, target, fields, checkRequest(plan.service), {
        reached: (what) => {
          this.#waitingFor = what === 'handshake' ? 'TLS handshake' : what;
        },
        failed: (error) => endWithError(this.run, error),
        head: (status, answer) => this.#onHead(status, answer),
        bytes: (bytes) => this.#onBytes(bytes),
        end: (trailers) => this.#onEnd(trailers),
      });
    } catch (error) {
      endWithError(this.run, error);
    }
  }

  #onHead(status: number, fields: IncomingHttpHeaders): void {
    if (status !== 200) this.run.end('failure', `status ${status}`);
    this.#fields = fields;
  }

  #onBytes(bytes: Buffer): void {
    if (this.#body.length + bytes.length > MAX_BYTES) this.run.end('failure', 'malformed answer');
    else this.#body = Buffer.concat([this.#body, bytes]);
  }

  /** An answer that is only a status has it among its fields. */
  #onEnd(trailers: IncomingHttpHeaders): void {
    const last = trailers['grpc-status'] === undefined ? this.#fields : trailers;
    const code = last['grpc-status'];
    if (code !== '0') {
      this.run.end('failure', statusReason(code, last['grpc-message']));
      return;
    }
    const status = readServingStatus(this.#body);
    if (status === undefined) this.run.end('failure', 'malformed answer');
    else this.run.end(status === 'SERVING' ? 'success' : 'failure', status);
  }
}

const NAMES: Readonly<Record<string, string>> = {
  '5': 'NOT_FOUND',
  '12': 'UNIMPLEMENTED',
  '14': 'UNAVAILABLE',
};

type FieldValue = string | readonly string[] | undefined;

function statusReason(code: FieldValue, message: FieldValue): string {
  if (typeof code !== 'string') return 'answer without grpc-status';
  const name = NAMES[code];
  const status = `grpc-status ${code.slice(0, 3)}${name === undefined ? '' : ` ${name}`}`;
  return typeof message === 'string' ? `${status}: ${decoded(message).slice(0, MAX_MESSAGE_CHARS)}` : status;
}

/** grpc-message is percent-encoded; what is not, as it should be, is shown as it is. */
function decoded(message: string): string {
  try {
    return decodeURIComponent(message);
  } catch {
    return message;
  }
}
