import { type ClientRequest, type IncomingMessage, request as sendRequest } from 'node:http';
import { connect, isIP, isIPv6, type Socket } from 'node:net';
import { checkServerIdentity, connect as connectTls } from 'node:tls';
import type { BackendPlan, ProbePlan } from '../../data/plan.ts';
import { BodyText } from './body-text.ts';
import { type ProbeContext, type ProbeDone, type ProbeHooks, ProbeRun, type ProbeTarget } from './probe.ts';
import { endWithError, readableMs } from './probe-reason.ts';

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
  #request: ClientRequest | undefined;

  constructor(context: ProbeContext, target: ProbeTarget, plan: HttpProbePlan, done: ProbeDone) {
    this.#context = context;
    this.#target = target;
    this.#plan = plan;
    this.#body = new BodyText(plan.body);
    this.run = new ProbeRun(context.wheel, target.timeoutMs, done, this);
    try {
      this.#send();
    } catch (error) {
      endWithError(this.run, error);
    }
  }

  close(): void {
    this.#request?.destroy();
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
        'user-agent': 'portway-health',
        accept: '*/*',
        ...lowerCased(this.#plan.headers),
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
    const { backend } = this.#target;
    const options = { host: backend.host, port: backend.port, lookup: this.#context.lookup };
    const secure = backend.protocol === 'https';
    const socket = secure ? connectTls({ ...options, ...this.#tlsOptions() }) : connect(options);
    this.#socket = socket;
    // node:http listens only from the next tick on, and stops when it is done; an error may come before and after that
    socket.on('error', (error) => endWithError(this.run, error));
    socket.on('connect', () => this.#reached(secure ? 'handshake' : 'answer'));
    if (secure) socket.on('secureConnect', () => this.#reached('answer'));
    return socket;
  }

  #reached(waitingFor: keyof typeof WAITING): void {
    this.#waitingFor = waitingFor;
  }

  /** As live traffic does it (data/agent.ts), but each time with a full handshake: a resumed one shows no certificate. */
  #tlsOptions() {
    const { backend, tls } = this.#target;
    const name = tls.serverName ?? backend.host;
    return {
      ALPNProtocols: ['http/1.1'],
      rejectUnauthorized: tls.verify,
      secureContext: this.#context.secureContext(tls),
      // SNI takes no IP addresses (RFC 6066 §3)
      ...(isIP(name) === 0 ? { servername: name } : {}),
      checkServerIdentity: (_host: string, certificate: Parameters<typeof checkServerIdentity>[1]) =>
        checkServerIdentity(name, certificate),
    };
  }

  #judge(response: IncomingMessage): void {
    const status = response.statusCode ?? 0;
    const { minStatus, maxStatus } = this.#plan;
    const good = `status ${status}`;
    response.on('error', () => this.run.end('failure', 'connection closed in the middle of the answer'));
    if (status < minStatus || status > maxStatus) this.run.end('failure', good);
    // what follows is another protocol, not a body
    else if (status === 101) this.#bodyEnded(good);
    else this.#readBody(response, good);
  }

  #readBody(response: IncomingMessage, good: string): void {
    this.#reached('body');
    response.on('data', (bytes: Buffer) => {
      this.#body.read(bytes);
      if (this.#body.decided) this.#bodyEnded(good);
    });
    // a body that is cut off ends in 'error', never in 'end'
    response.on('end', () => this.#bodyEnded(good));
  }

  #bodyEnded(good: string): void {
    if (this.#body.lacks === undefined) this.run.end('success', good);
    else this.run.end('failure', `body lacks ${JSON.stringify(this.#body.lacks)}`);
  }
}

/** RFC 9110 §7.2: the port is left out when it is the scheme's own. */
function authorityOf({ host, port, protocol }: BackendPlan): string {
  const name = isIPv6(host) ? `[${host}]` : host;
  return port === (protocol === 'https' ? 443 : 80) ? name : `${name}:${port}`;
}

/** So that a field of the plan replaces ours of the same name. */
function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
