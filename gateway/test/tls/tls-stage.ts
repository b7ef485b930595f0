import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import type { TestContext } from 'node:test';
import * as tls from 'node:tls';
import type {
  CertificatePlan,
  HttpListenerPlan,
  ListenerTlsPlan,
  Plan,
  RoutePlan,
} from '../../src/data/plan.ts';
import type { GatewayOptions } from '../../src/gateway.ts';
import { makeCertificate } from '../agents/certificates.ts';
import { startHttpBackend } from '../agents/http-backend.ts';
import { type GatewayInTest, startGateway } from '../relay/gateway-in-test.ts';
import { plan } from '../support/plans.ts';

/** A certificate as a plan has it, with the authority that clients need. */
export interface TestCertificate extends CertificatePlan {
  readonly ca: string;
}

export function certificateFor(...names: readonly string[]): TestCertificate {
  const { key, cert, ca } = makeCertificate({ names: names.map((name) => `DNS:${name}`) });
  return { names, key, cert, ca };
}

export function tlsPlan(
  certificates: readonly CertificatePlan[],
  changes: Partial<ListenerTlsPlan> = {},
): ListenerTlsPlan {
  return {
    certificates,
    clientCa: undefined,
    clientCertificate: 'none',
    minVersion: 'TLSv1.2',
    hsts: undefined,
    ...changes,
  };
}

export interface TlsStage extends GatewayInTest {
  readonly plan: Plan;
  refused(code: string): number;
}

export interface TlsStageOptions extends GatewayOptions {
  readonly listener?: Partial<HttpListenerPlan>;
  readonly route?: Partial<RoutePlan>;
}

/** A TLS listener before one backend of node:http, which says `ok` unless told otherwise. */
export async function tlsStage(
  t: TestContext,
  settings: ListenerTlsPlan | undefined,
  { listener = {}, route = {}, ...options }: TlsStageOptions = {},
  handle: RequestListener = (_request, response) => void response.end('ok'),
): Promise<TlsStage> {
  const backend = await startHttpBackend(t, handle);
  const whole = plan([backend.port], { listener: { tls: settings, ...listener }, route });
  const started = await startGateway(t, whole, options);
  const { byCode } = started.gateway.data.counters;
  return { ...started, plan: whole, refused: (code) => byCode.get(code) ?? 0 };
}

/** A TLS client that keeps what comes back as latin1 text. */
export class TlsClient {
  readonly socket: tls.TLSSocket;
  received = '';
  error: NodeJS.ErrnoException | undefined;
  closed = false;
  #happened = (): void => {};

  constructor(t: TestContext, port: number, options: tls.ConnectionOptions) {
    const socket = tls.connect({
      ...{ port, host: '127.0.0.1', servername: 'a.example', ALPNProtocols: ['http/1.1'] },
      ...options,
    });
    this.socket = socket;
    socket.on('data', (bytes: Buffer) => {
      this.received += bytes.toString('latin1');
      this.#happened();
    });
    socket.on('error', (error) => {
      this.error = error;
    });
    socket.on('close', () => {
      this.closed = true;
      this.#happened();
    });
    t.after(() => socket.destroy());
  }

  /** @throws Error why there was no handshake */
  static async open(t: TestContext, port: number, options: tls.ConnectionOptions): Promise<TlsClient> {
    const client = new TlsClient(t, port, options);
    await once(client.socket, 'secureConnect');
    return client;
  }

  send(text: string): this {
    this.socket.write(text, 'latin1');
    return this;
  }

  get(path = '/', host = 'a.example'): this {
    return this.send(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  }

  contains(part: string): Promise<string> {
    return this.until((received) => received.includes(part));
  }

  async until(done: (received: string) => boolean): Promise<string> {
    while (!done(this.received)) {
      if (this.closed) throw this.error ?? new Error(`closed after ${JSON.stringify(this.received)}`);
      await new Promise<void>((resolve) => {
        this.#happened = resolve;
      });
    }
    return this.received;
  }

  /** Waits for the end of the connection, and returns all that came. */
  async end(): Promise<string> {
    if (!this.closed) await new Promise((resolve) => this.socket.once('close', resolve));
    return this.received;
  }
}

/** Why a client with these options gets no handshake: the code of its error, or `CLOSED`, or `NONE` when it does. */
export async function handshakeFailure(
  t: TestContext,
  port: number,
  options: tls.ConnectionOptions,
): Promise<string> {
  const client = new TlsClient(t, port, options);
  const isSecure = await Promise.race([
    once(client.socket, 'secureConnect').then(
      () => true,
      () => false,
    ),
    client.end().then(() => false),
  ]);
  return isSecure ? 'NONE' : (client.error?.code ?? 'CLOSED');
}
