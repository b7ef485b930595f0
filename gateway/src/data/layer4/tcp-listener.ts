import type { Socket } from 'node:net';
import { addressText } from '../../address-text.ts';
import type { FailureCode } from '../../errors.ts';
import type { Clock, TimerWheel } from '../../time.ts';
import { canonicalIp, TrustedProxies } from '../client-address.ts';
import { ClientLinks } from '../client-links.ts';
import type { Exchange } from '../exchange.ts';
import { ExchangeRecord, malformedReport } from '../exchange-record.ts';
import type { Forward } from '../forward.ts';
import { FieldLines } from '../http1/field-lines.ts';
import type { Listener, ListenerDeps } from '../listener.ts';
import type { ListenerPlan, TcpListenerPlan } from '../plan.ts';
import type { Route } from '../route.ts';
import { StreamServer } from '../stream-server.ts';
import { Wire } from '../wire.ts';
import { TcpConnection, type TcpContext, type TcpPeer } from './tcp-connection.ts';
import { TcpServices } from './tcp-services.ts';

/** Accepts the clients of TCP services on one address. */
export class TcpListener implements Listener, TcpContext {
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly line: Forward;
  plan: TcpListenerPlan;
  readonly #deps: ListenerDeps;
  #services: TcpServices;
  #trusted: TrustedProxies;
  readonly #server = new StreamServer(
    (socket) => this.#accept(socket),
    () => this.#deps.counters.refused('accept_failed'),
  );
  readonly #noFields = new FieldLines(1);
  readonly #connections = new ClientLinks<TcpConnection>();

  constructor(deps: ListenerDeps, plan: TcpListenerPlan) {
    this.clock = deps.clock;
    this.wheel = deps.wheel;
    this.line = deps.line;
    this.plan = plan;
    this.#deps = deps;
    this.#trusted = new TrustedProxies(plan.trustedProxies);
    this.#services = new TcpServices(deps.services, plan, deps.serviceNamed, []);
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

  get ownRoutes(): readonly Route[] {
    return this.#services.routes;
  }

  get helloTimeoutMs(): number {
    return this.plan.helloTimeoutMs;
  }

  get bySni(): boolean {
    return this.plan.sniServices.length > 0;
  }

  /** The services of the new settings come with `servicesChanged`. */
  update(plan: ListenerPlan): void {
    if (plan.kind !== 'tcp') return;
    this.plan = plan;
    this.#trusted = new TrustedProxies(plan.trustedProxies);
  }

  servicesChanged(): void {
    const { services, serviceNamed } = this.#deps;
    this.#services = new TcpServices(services, this.plan, serviceNamed, this.#services.routes);
  }

  listen(): Promise<void> {
    return this.#server.listen(this.plan.host, this.plan.port);
  }

  stopListening(): void {
    this.#server.close();
  }

  /** Resolves when the last connection has ended. */
  drain(): Promise<void> {
    if (this.#connections.draining) return this.#connections.drain();
    this.stopListening();
    return this.#connections.drain();
  }

  destroy(): void {
    this.stopListening();
    this.#connections.destroy();
  }

  #accept(socket: Socket): void {
    if (this.#connections.size >= this.plan.maxConnections || this.#connections.draining) {
      this.#deps.counters.refused('too_many_connections');
      socket.destroy();
      return;
    }
    const peer = this.#peerOf(socket);
    // gone between the accept and now: there is nobody to speak to
    if (peer === undefined) {
      socket.destroy();
      return;
    }
    const connection = new TcpConnection(this, peer, (reader) =>
      Wire.accept(socket, reader, this.#deps.buffers),
    );
    this.#connections.add(connection);
    connection.start();
  }

  #peerOf({ remoteAddress, remotePort }: Socket): TcpPeer | undefined {
    if (remoteAddress === undefined) return undefined;
    const trusted = this.#trusted.trusts(remoteAddress);
    return {
      source: { ip: canonicalIp(remoteAddress) ?? remoteAddress, port: remotePort ?? 0 },
      sendsHeader: trusted && this.plan.proxyProtocol,
      trusted,
    };
  }

  // --- told by its connections ---

  routeFor(serverName: string | undefined): Route | undefined {
    return this.#services.for(serverName);
  }

  begins(exchange: Exchange, serverName: string | undefined): void {
    const { watcher } = this.line;
    if (watcher === undefined) return;
    const head = { host: serverName ?? '', path: '', query: '', minorVersion: -1, fields: this.#noFields };
    exchange.record = new ExchangeRecord(exchange, head, this.#deps.ids, watcher);
  }

  refused({ facts }: TcpConnection, code: FailureCode, serverName: string): void {
    this.#deps.counters.refused(code);
    this.line.watcher?.ended({ ...malformedReport(facts, code), protocol: 'TCP', host: serverName });
  }

  closed(connection: TcpConnection): void {
    this.#connections.delete(connection);
  }
}
