import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import type { Plan, ServicePlan, UdpListenerPlan } from '../../src/data/plan.ts';
import { createGateway, type Gateway, type GatewayOptions } from '../../src/gateway.ts';
import { backendPlan, plan, servicePlan } from '../support/plans.ts';

export function udpListenerPlan(changes: Partial<UdpListenerPlan> = {}): UdpListenerPlan {
  return {
    kind: 'udp',
    host: '127.0.0.1',
    port: 0,
    trustedProxies: [],
    maxConnections: 10_000,
    service: 'dns',
    idleTimeoutMs: 30_000,
    maxAnswers: 0,
    ...changes,
  };
}

export function udpServicePlan(ports: readonly number[], changes: Partial<ServicePlan> = {}): ServicePlan {
  const backends = ports.map((port) => backendPlan(port, { protocol: 'udp' }));
  return servicePlan([], { name: 'dns', backends, balance: { kind: 'round-robin' }, ...changes });
}

export interface UdpPlanChanges {
  readonly listener?: Partial<UdpListenerPlan>;
  readonly service?: Partial<ServicePlan>;
}

/** One UDP listener before one service `dns` on `ports`. */
export function udpPlan(ports: readonly number[], changes: UdpPlanChanges = {}): Plan {
  const services = [udpServicePlan(ports, changes.service)];
  return { ...plan([], { services, routes: [] }), listeners: [udpListenerPlan(changes.listener)] };
}

/** What a backend does with a datagram; what it returns is its answers. */
type Answer = (text: string, bytes: Buffer) => readonly (string | Buffer)[];

/** A UDP server. Its answers begin with its name where `answer` is left out: `1:hello`. */
export class UdpBackend {
  readonly socket: Socket;
  readonly port: number;
  /** What came, oldest first. */
  readonly received: string[] = [];
  /** Ports that sent something. */
  readonly clients = new Set<number>();

  private constructor(socket: Socket, answer: Answer) {
    this.socket = socket;
    this.port = socket.address().port;
    socket.on('error', () => {});
    socket.on('message', (bytes, { address, port }) => {
      this.clients.add(port);
      const text = bytes.toString('latin1');
      this.received.push(text);
      for (const one of answer(text, bytes)) socket.send(one, port, address);
    });
  }

  static async start(
    t: TestContext,
    answer: Answer,
    { host = '127.0.0.1', port = 0 }: { readonly host?: string; readonly port?: number } = {},
  ): Promise<UdpBackend> {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    socket.bind(port, host);
    await once(socket, 'listening');
    const backend = new UdpBackend(socket, answer);
    t.after(() => backend.stop());
    return backend;
  }

  #stopped = false;

  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    const closed = once(this.socket, 'close');
    this.socket.close();
    await closed;
  }
}

/** Answers each datagram with itself, behind its own name. */
export const named =
  (name: string): Answer =>
  (text) => [`${name}:${text}`];

export const echo: Answer = (_text, bytes) => [bytes];

/** A UDP client: one address and port. */
export class UdpClient {
  readonly socket: Socket;
  readonly #port: number;
  readonly #host: string;
  readonly #arrived: Buffer[] = [];
  #waiting: ((bytes: Buffer) => void) | undefined;

  constructor(t: TestContext, port: number, host = '127.0.0.1') {
    this.#port = port;
    this.#host = host;
    this.socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    this.socket.on('error', () => {});
    this.socket.on('message', (bytes) => {
      const waiting = this.#waiting;
      this.#waiting = undefined;
      if (waiting === undefined) this.#arrived.push(bytes);
      else waiting(bytes);
    });
    t.after(() => this.close());
  }

  #closed = false;

  close(): void {
    if (!this.#closed) this.socket.close();
    this.#closed = true;
  }

  send(bytes: string | Buffer): void {
    this.socket.send(bytes, this.#port, this.#host);
  }

  /** The next datagram to arrive; only one may be waited for at a time. */
  receive(): Promise<Buffer> {
    const first = this.#arrived.shift();
    if (first !== undefined) return Promise.resolve(first);
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  async text(): Promise<string> {
    return (await this.receive()).toString('latin1');
  }

  ask(text: string): Promise<string> {
    this.send(text);
    return this.text();
  }
}

export interface UdpStage {
  readonly gateway: Gateway;
  readonly port: number;
  client(): UdpClient;
  /** Of the route of the listener. */
  readonly counts: Gateway['data']['routes'][number]['tunnels'];
  refused(code: string): number;
}

/** A gateway with one UDP listener, which ends with the test. */
export async function udpStage(t: TestContext, plan: Plan, options: GatewayOptions = {}): Promise<UdpStage> {
  const gateway = await createGateway(plan, options);
  t.after(() => gateway.data.destroy());
  const [listener] = gateway.data.listeners;
  const [route] = listener?.ownRoutes ?? [];
  if (listener === undefined || route === undefined) throw new Error('no UDP listener');
  const { port } = listener;
  const { host } = listener.plan;
  return {
    gateway,
    port,
    counts: route.tunnels,
    client: () => new UdpClient(t, port, host),
    refused: (code) => gateway.data.counters.byCode.get(code) ?? 0,
  };
}
