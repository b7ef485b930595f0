import { createServer, type Server, type Socket } from 'node:net';
import type { FailureCode } from '../errors.ts';
import type { Clock, Random, TimerWheel } from '../time.ts';
import { clientAddress, TrustedProxies } from './client-address.ts';
import type { FailureCounters } from './counters.ts';
import type { Exchange } from './exchange.ts';
import { malformedReport } from './exchange-record.ts';
import type { Forward } from './forward.ts';
import { ClientConnection } from './http1/client-connection.ts';
import { RequestHead } from './http1/request-head.ts';
import type { Listener, ListenerDeps } from './listener.ts';
import type { HttpListenerPlan, ListenerPlan } from './plan.ts';
import type { ReadBuffers } from './read-buffers.ts';
import type { ClientFacts, RequestHeaders } from './request-headers.ts';
import type { RequestIds } from './request-id.ts';
import type { Route } from './route.ts';
import type { ServiceContext } from './service.ts';
import type { OpenTunnels } from './tunnel/open-tunnels.ts';
import { Wire } from './wire.ts';

/** How many connections may wait to be accepted; Linux caps it at net.core.somaxconn. */
const BACKLOG = 4096;

/** What the client connections of one listener share. */
export interface ListenerContext extends ListenerDeps {
  readonly plan: HttpListenerPlan;
  readonly head: RequestHead;
  readonly draining: boolean;
  factsOf(socket: Socket): ClientFacts;
  forward(exchange: Exchange, head: RequestHead, headers: RequestHeaders): number;
  refuse(exchange: Exchange, code: FailureCode): void;
  malformed(client: ClientFacts, code: FailureCode): void;
  closed(connection: ClientConnection): void;
}

/** Accepts HTTP clients on one address. */
export class HttpListener implements ListenerContext, Listener {
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: RequestIds;
  readonly wheel: TimerWheel;
  readonly buffers: ReadBuffers;
  readonly counters: FailureCounters;
  readonly line: Forward;
  readonly tunnels: OpenTunnels;
  readonly services: ServiceContext;
  readonly serviceNamed: ListenerDeps['serviceNamed'];
  plan: HttpListenerPlan;
  head: RequestHead;
  draining = false;
  #server: Server | undefined;
  #trusted: TrustedProxies;
  readonly #connections = new Set<ClientConnection>();
  #drain: PromiseWithResolvers<void> | undefined;

  constructor(deps: ListenerDeps, plan: HttpListenerPlan) {
    this.clock = deps.clock;
    this.random = deps.random;
    this.ids = deps.ids;
    this.wheel = deps.wheel;
    this.buffers = deps.buffers;
    this.counters = deps.counters;
    this.line = deps.line;
    this.tunnels = deps.tunnels;
    this.services = deps.services;
    this.serviceNamed = deps.serviceNamed;
    this.plan = plan;
    this.head = new RequestHead(plan);
    this.#trusted = new TrustedProxies(plan.trustedProxies);
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** The port in use, once listening. */
  get port(): number {
    const address = this.#server?.address();
    return typeof address === 'object' && address !== null ? address.port : this.plan.port;
  }

  get address(): string {
    const { host } = this.plan;
    return `${host.includes(':') ? `[${host}]` : host}:${this.port}`;
  }

  /** Takes over new settings of the same address. What a connection was told of its client stays. */
  update(plan: ListenerPlan): void {
    if (plan.kind !== 'http') return;
    this.plan = plan;
    this.head = new RequestHead(plan);
    this.#trusted = new TrustedProxies(plan.trustedProxies);
  }

  /** Resolves when listening; rejects with the system's error, e.g. EADDRINUSE. */
  listen(): Promise<void> {
    const server = createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true });
    server.on('connection', (socket) => this.#accept(socket));
    this.#server = server;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: this.plan.host, port: this.plan.port, backlog: BACKLOG }, () => {
        server.off('error', reject);
        // an error while accepting (out of descriptors) must not end the process; the next accept may succeed
        server.on('error', () => this.counters.refused('accept_failed'));
        resolve();
      });
    });
  }

  /** Gives the address up, at once; connections stay, and `listen` may take it again. */
  stopListening(): void {
    this.#server?.close();
  }

  get ownRoutes(): readonly Route[] {
    return [];
  }

  servicesChanged(): void {}

  /** Accepts no more, closes idle connections, and resolves when the last request under way is answered. */
  drain(): Promise<void> {
    if (this.#drain !== undefined) return this.#drain.promise;
    this.draining = true;
    this.#drain = Promise.withResolvers();
    this.stopListening();
    for (const connection of [...this.#connections]) connection.close();
    if (this.#connections.size === 0) this.#drain.resolve();
    return this.#drain.promise;
  }

  /** Ends every connection now. */
  destroy(): void {
    this.stopListening();
    for (const connection of [...this.#connections]) connection.destroy();
  }

  #accept(socket: Socket): void {
    if (this.#connections.size >= this.plan.maxConnections || this.draining) {
      this.counters.refused('too_many_connections');
      socket.destroy();
      return;
    }
    // gone between the accept and now: there is no address to speak of, and nobody to speak to
    if (socket.remoteAddress === undefined) {
      socket.destroy();
      return;
    }
    this.#connections.add(new ClientConnection(this, (reader) => Wire.accept(socket, reader, this.buffers)));
  }

  factsOf(socket: Socket): ClientFacts {
    const peerIp = plainIp(socket.remoteAddress ?? '');
    const trusted = this.#trusted.trusts(peerIp);
    const trustedProxies = this.#trusted;
    const clientIp = (forwardedFor: string | undefined) =>
      clientAddress(peerIp, forwardedFor, trustedProxies);
    return { peerIp, trusted, proto: 'http', clientIp };
  }

  forward(exchange: Exchange, head: RequestHead, headers: RequestHeaders): number {
    return this.line.begin(exchange, head, headers);
  }

  refuse(exchange: Exchange, code: FailureCode): void {
    this.line.refuse(exchange, code);
  }

  malformed(client: ClientFacts, code: FailureCode): void {
    this.counters.refused(code);
    this.line.watcher?.ended(malformedReport(client, code));
  }

  closed(connection: ClientConnection): void {
    this.#connections.delete(connection);
    if (this.#connections.size === 0) this.#drain?.resolve();
  }
}

/** A dual-stack listener sees IPv4 clients as ::ffff:1.2.3.4. */
function plainIp(ip: string): string {
  return ip.startsWith('::ffff:') && ip.includes('.') ? ip.slice(7) : ip;
}
