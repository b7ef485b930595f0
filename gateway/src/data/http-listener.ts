import type { Socket } from 'node:net';
import { addressText } from '../address-text.ts';
import type { FailureCode } from '../errors.ts';
import type { Clock, Random, TimerWheel } from '../time.ts';
import { Arrival, type ArrivalHost, type Arrived } from './arrival.ts';
import { deepEqualPlan } from './changed-fields.ts';
import { TrustedProxies } from './client-address.ts';
import { clientFacts, plainIp } from './client-facts.ts';
import { type ClientLink, ClientLinks } from './client-links.ts';
import type { FailureCounters } from './counters.ts';
import type { Exchange } from './exchange.ts';
import { malformedReport } from './exchange-record.ts';
import type { Forward } from './forward.ts';
import { ForwardProxy, type ProxyingContext } from './forward-proxy/forward-proxy.ts';
import { ClientConnection } from './http1/client-connection.ts';
import { RequestHead } from './http1/request-head.ts';
import { Http2ClientSession } from './http2/client-session.ts';
import type { Listener, ListenerDeps } from './listener.ts';
import type { HttpListenerPlan, ListenerPlan } from './plan.ts';
import type { ReadBuffers } from './read-buffers.ts';
import type { ClientFacts, RequestHeaders } from './request-headers.ts';
import type { RequestIds } from './request-id.ts';
import type { Route } from './route.ts';
import type { ServiceContext } from './service.ts';
import { StreamServer } from './stream-server.ts';
import { redirectToHttps } from './tls/redirect-to-https.ts';
import { TlsAcceptor } from './tls/tls-acceptor.ts';
import type { OpenTunnels } from './tunnel/open-tunnels.ts';
import { Wire, type WireReader } from './wire.ts';

const NOBODY = new TrustedProxies([]);

/** What the client connections of one listener share. */
export interface ListenerContext extends Omit<ListenerDeps, 'proxying' | 'ticketKeys'> {
  readonly plan: HttpListenerPlan;
  readonly head: RequestHead;
  readonly draining: boolean;
  /**
   * @param sourceIp what a PROXY header says of the client
   * @param isNameless whether it says that there is one, and no more: then nobody is believed
   */
  factsOf(socket: Socket, sourceIp?: string, isNameless?: boolean): ClientFacts;
  forward(exchange: Exchange, head: RequestHead, headers: RequestHeaders): number;
  refuse(exchange: Exchange, code: FailureCode): void;
  malformed(client: ClientFacts, code: FailureCode): void;
  /** Said by each link exactly once, when it is gone. */
  closed(link: ClientLink): void;
}

/** Accepts HTTP clients on one address. */
export class HttpListener implements ListenerContext, ArrivalHost, Listener {
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
  readonly proxying: ProxyingContext;
  readonly #deps: ListenerDeps;
  plan: HttpListenerPlan;
  head: RequestHead;
  readonly #server = new StreamServer(
    (socket) => this.#accept(socket),
    () => this.counters.refused('accept_failed'),
  );
  #trusted: TrustedProxies;
  #tls: TlsAcceptor | undefined;
  #proxy: ForwardProxy | undefined;
  readonly #connections = new ClientLinks<ClientLink>();

  /** @throws Error when the plan's TLS settings are unfit */
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
    this.proxying = deps.proxying;
    this.#deps = deps;
    this.plan = plan;
    this.head = new RequestHead(plan);
    this.#trusted = new TrustedProxies(plan.trustedProxies);
    this.#tls = this.#acceptor(plan);
    this.#proxy = ForwardProxy.next(undefined, this, plan);
  }

  #acceptor({ tls, http2 }: HttpListenerPlan): TlsAcceptor | undefined {
    const { ticketKeys } = this.#deps;
    return tls === undefined ? undefined : new TlsAcceptor(tls, { ticketKeys, http2: http2 !== undefined });
  }

  get draining(): boolean {
    return this.#connections.draining;
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** The port in use, once listening. */
  get port(): number {
    return this.#server.port ?? this.plan.port;
  }

  get address(): string {
    return addressText(this.plan.host, this.port);
  }

  /**
   * Takes over new settings of the same address. What a connection was told of its client stays, and so do its keys.
   * @throws Error when the plan's TLS settings are unfit, and nothing has changed
   */
  update(plan: ListenerPlan): void {
    if (plan.kind !== 'http') return;
    const isSameTls = deepEqualPlan([this.plan.tls, this.plan.http2], [plan.tls, plan.http2]);
    if (!isSameTls) this.#tls = this.#acceptor(plan);
    this.plan = plan;
    this.head = new RequestHead(plan);
    this.#trusted = new TrustedProxies(plan.trustedProxies);
    this.#proxy = ForwardProxy.next(this.#proxy, this, plan);
  }

  /** Resolves when listening; rejects with the system's error, e.g. EADDRINUSE. */
  listen(): Promise<void> {
    return this.#server.listen(this.plan.host, this.plan.port);
  }

  /** Gives the address up, at once; connections stay, and `listen` may take it again. */
  stopListening(): void {
    this.#server.close();
  }

  get ownRoutes(): readonly Route[] {
    return this.#proxy === undefined ? [] : [this.#proxy.route];
  }

  servicesChanged(): void {}

  /** Accepts no more, closes idle connections, and resolves when the last request under way is answered. */
  drain(): Promise<void> {
    if (this.#connections.draining) return this.#connections.drain();
    this.stopListening();
    this.#proxy?.close();
    return this.#connections.drain();
  }

  /** Ends every connection now. */
  destroy(): void {
    this.stopListening();
    this.#connections.destroy();
    this.#proxy?.destroy();
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
    const { http2, proxyProtocol, headTimeoutMs } = this.plan;
    const proxied = proxyProtocol && this.#trusted.trusts(plainIp(socket.remoteAddress));
    if (this.#tls === undefined && http2 === undefined && !proxied) {
      this.#serve(socket, this.factsOf(socket));
      return;
    }
    const opening = { proxied, tls: this.#tls, http2: http2 !== undefined, timeoutMs: headTimeoutMs };
    const arrival = new Arrival(this, socket, opening);
    this.#connections.add(arrival);
    arrival.start();
  }

  arrived(arrival: Arrival, { socket, protocol, sourceIp, isNameless, initial }: Arrived): void {
    const facts = this.factsOf(socket, sourceIp, isNameless);
    if (this.draining) socket.destroy();
    else if (protocol === 'h2') this.#connections.add(new Http2ClientSession(this, socket, facts));
    else this.#serve(socket, facts, initial);
    this.closed(arrival);
  }

  lost(arrival: Arrival, code: FailureCode | undefined): void {
    if (code !== undefined) this.counters.refused(code);
    this.closed(arrival);
  }

  #serve(socket: Socket, facts: ClientFacts, initial?: Buffer): void {
    const open = (reader: WireReader) => Wire.accept(socket, reader, this.buffers, initial);
    this.#connections.add(new ClientConnection(this, facts, open));
  }

  factsOf(socket: Socket, sourceIp?: string, isNameless = false): ClientFacts {
    return clientFacts(socket, isNameless ? NOBODY : this.#trusted, this.plan.tls?.hsts, sourceIp);
  }

  forward(exchange: Exchange, head: RequestHead, headers: RequestHeaders): number {
    const { redirectToHttpsPort } = this.plan;
    const elsewhere =
      redirectToHttpsPort === undefined ? undefined : redirectToHttps(head, redirectToHttpsPort);
    if (elsewhere !== undefined) {
      this.line.watch(exchange, head);
      return this.line.answer(exchange, elsewhere);
    }
    if (this.#proxy?.takes(head)) return this.#proxy.begin(exchange, head);
    return this.line.begin(exchange, head, headers);
  }

  refuse(exchange: Exchange, code: FailureCode): void {
    this.line.refuse(exchange, code);
  }

  malformed(client: ClientFacts, code: FailureCode): void {
    this.counters.refused(code);
    this.line.watcher?.ended(malformedReport(client, code));
  }

  closed(link: ClientLink): void {
    this.#connections.delete(link);
  }
}
