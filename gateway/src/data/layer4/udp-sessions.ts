import type { RemoteInfo } from 'node:dgram';
import type { Clock, TimerWheel } from '../../time.ts';
import { canonicalIp } from '../client-address.ts';
import type { UdpListenerPlan } from '../plan.ts';
import type { Resolver } from '../resolver.ts';
import type { Route } from '../route.ts';
import type { DirectSends } from './udp-direct-sends.ts';
import type { EndedSession } from './udp-report.ts';
import { type SessionContext, UdpSession } from './udp-session.ts';

/** What may wait for addresses, of all clients together: who sends it may be anyone. */
const MAX_HELD_BYTES = 1024 * 1024;

export interface UdpSessionsDeps {
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly resolver: Pick<Resolver, 'invalidate' | 'resolve'>;
  readonly sends: DirectSends;
  /** A datagram was dropped. */
  readonly dropped: (code: string) => void;
  readonly answer: (bytes: Buffer, port: number, address: string) => void;
  /** A session has ended, for those who watch. */
  readonly tell: (session: EndedSession, route: Route) => void;
}

/** The clients of one listener, each with a session of its own. */
export class UdpSessions implements SessionContext {
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly resolver: Pick<Resolver, 'invalidate' | 'resolve'>;
  readonly sends: DirectSends;
  readonly dropped: UdpSessionsDeps['dropped'];
  readonly answer: UdpSessionsDeps['answer'];
  readonly tell: UdpSessionsDeps['tell'];
  plan: UdpListenerPlan;
  route: Route;
  readonly #byClient = new Map<string, UdpSession>();
  #heldBytes = 0;
  #drained: PromiseWithResolvers<void> | undefined;

  constructor(
    { clock, wheel, resolver, sends, dropped, answer, tell }: UdpSessionsDeps,
    plan: UdpListenerPlan,
    route: Route,
  ) {
    this.clock = clock;
    this.wheel = wheel;
    this.resolver = resolver;
    this.sends = sends;
    this.dropped = dropped;
    this.answer = answer;
    this.tell = tell;
    this.plan = plan;
    this.route = route;
  }

  get size(): number {
    return this.#byClient.size;
  }

  onDatagram(bytes: Buffer, from: RemoteInfo): void {
    const key = `${from.port} ${from.address}`;
    const session = this.#byClient.get(key);
    if (session !== undefined) session.fromClient(bytes);
    else this.#open(key, bytes, from);
  }

  update(plan: UdpListenerPlan): void {
    const before = this.plan;
    this.plan = plan;
    if (plan.idleTimeoutMs < before.idleTimeoutMs)
      for (const session of this.#byClient.values()) session.retime();
  }

  /** Takes over the service of a new plan. Sessions whose backends it does not have end. */
  serve(route: Route): void {
    this.route = route;
    const { backends } = route.service;
    for (const session of this.#byClient.values()) {
      if (session.backend !== undefined && !backends.includes(session.backend)) session.leave('reload');
    }
  }

  /** Opens no more; resolves when the last has ended. */
  drain(): Promise<void> {
    if (this.#drained !== undefined) return this.#drained.promise;
    this.#drained = Promise.withResolvers();
    if (this.size === 0) this.#drained.resolve();
    for (const session of this.#byClient.values()) session.leave('drain');
    return this.#drained.promise;
  }

  destroy(): void {
    for (const session of this.#byClient.values()) session.end('drain');
  }

  hold(bytes: number): boolean {
    if (this.#heldBytes + bytes > MAX_HELD_BYTES) return false;
    this.#heldBytes += bytes;
    return true;
  }

  release(bytes: number): void {
    this.#heldBytes -= bytes;
  }

  ended(session: UdpSession): void {
    this.#byClient.delete(session.client.key);
    if (this.size === 0) this.#drained?.resolve();
  }

  #open(key: string, bytes: Buffer, { address, port }: RemoteInfo): void {
    const ip = canonicalIp(address) ?? address;
    const refused = this.#refusal(ip, port);
    if (refused !== undefined) {
      this.dropped(refused);
      return;
    }
    const session = new UdpSession(this, { key, address, port, ip });
    this.#byClient.set(key, session);
    session.fromClient(bytes);
    if (!session.hasWay) session.end('backend');
  }

  #refusal(ip: string, port: number): string | undefined {
    if (this.#drained !== undefined) return 'shutting_down';
    if (this.size >= this.plan.maxConnections) return 'too_many_connections';
    // nobody can be answered at port 0; and an answer to a backend it might answer itself, for ever (RFC 3164's echo
    // and chargen, set on each other by one datagram with a false address)
    return port === 0 || this.#isBackend(ip, port) ? 'bad_source' : undefined;
  }

  #isBackend(ip: string, port: number): boolean {
    return this.route.service.backends.some(({ plan }) => plan.port === port && this.#isAt(plan.host, ip));
  }

  /** As far as is known without waiting. */
  #isAt(host: string, ip: string): boolean {
    let found = false;
    this.resolver.resolve(host, (_error, addresses) => {
      found = addresses.some(({ address }) => address === ip);
    });
    return found;
  }
}
