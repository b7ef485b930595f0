import type { RemoteInfo } from 'node:dgram';
import { addressText } from '../../address-text.ts';
import type { Listener, ListenerDeps } from '../listener.ts';
import type { ListenerPlan, UdpListenerPlan } from '../plan.ts';
import type { Route } from '../route.ts';
import { DirectSends } from './udp-direct-sends.ts';
import { droppedCode } from './udp-leg.ts';
import { type EndedSession, udpReport } from './udp-report.ts';
import { udpRoute } from './udp-route.ts';
import { UdpSessions } from './udp-sessions.ts';
import { type DatagramReader, UdpSocket } from './udp-socket.ts';

/** What the kernel may hold while the process is busy with something else; it gives less where it is not allowed more. */
const BUFFER_BYTES = 4 * 1024 * 1024;

/** Takes the datagrams of UDP clients on one address, and sends them the answers from there. */
export class UdpListener implements Listener, DatagramReader {
  plan: UdpListenerPlan;
  readonly #deps: ListenerDeps;
  /** Undefined until the plan that names its service is in force: a new listener takes datagrams a moment before. */
  #sessions: UdpSessions | undefined;
  #route: Route | undefined;
  readonly #sends = new DirectSends();
  #socket: UdpSocket | undefined;
  #port: number;
  #drained: Promise<void> | undefined;

  constructor(deps: ListenerDeps, plan: UdpListenerPlan) {
    this.#deps = deps;
    this.plan = plan;
    this.#port = plan.port;
    this.servicesChanged();
  }

  get port(): number {
    return this.#port;
  }

  get address(): string {
    return addressText(this.plan.host, this.port);
  }

  get connections(): number {
    return this.#sessions?.size ?? 0;
  }

  get ownRoutes(): readonly Route[] {
    return this.#route === undefined ? [] : [this.#route];
  }

  async listen(): Promise<void> {
    const { host, port } = this.plan;
    const sends = this.#sends;
    const socket = await UdpSocket.listen(host, port, BUFFER_BYTES, sends, this);
    this.#socket = socket;
    this.#port = socket.port;
  }

  stopListening(): void {
    this.#socket?.close();
    this.#socket = undefined;
  }

  update(plan: ListenerPlan): void {
    if (plan.kind !== 'udp') return;
    this.plan = plan;
    this.#sessions?.update(plan);
  }

  servicesChanged(): void {
    const service = this.#deps.serviceNamed(this.plan.service);
    if (service === undefined) return;
    this.#route = udpRoute(this.#deps.services, this.plan, service, this.#route);
    if (this.#sessions === undefined) this.#sessions = this.#newSessions(this.#route);
    else this.#sessions.serve(this.#route);
  }

  /** Takes datagrams of the clients it has until they are answered, which the end of UDP's exchanges is. */
  drain(): Promise<void> {
    const sessions = this.#sessions?.drain() ?? Promise.resolve();
    this.#drained ??= sessions.then(() => this.stopListening());
    return this.#drained;
  }

  destroy(): void {
    this.stopListening();
    this.#sessions?.destroy();
  }

  onDatagram(bytes: Buffer, from: RemoteInfo): void {
    if (this.#sessions === undefined) this.#dropped('no_backend');
    else this.#sessions.onDatagram(bytes, from);
  }

  /** Of an answer to a client that is there no more, say. */
  onSocketError(code: string): void {
    this.#dropped(droppedCode(code));
  }

  #newSessions(route: Route): UdpSessions {
    const { clock, wheel, services } = this.#deps;
    const deps = {
      ...{ clock, wheel, resolver: services.resolver, sends: this.#sends },
      dropped: (code: string) => this.#dropped(code),
      answer: (bytes: Buffer, port: number, address: string) => this.#answer(bytes, port, address),
      tell: (session: EndedSession, route: Route) => this.#tell(session, route),
    };
    return new UdpSessions(deps, this.plan, route);
  }

  #tell(session: EndedSession, route: Route): void {
    const { ids, line } = this.#deps;
    line.watcher?.ended(udpReport(session, route, ids.traceId(ids.next())));
  }

  #answer(bytes: Buffer, port: number, address: string): void {
    const error = this.#socket?.sendTo(bytes, port, address);
    if (error !== undefined) this.#dropped(droppedCode(error));
  }

  #dropped(code: string): void {
    this.#deps.counters.refused(code, this.#route?.name);
  }
}
