import type { FailureCode } from '../../errors.ts';
import { type Expirable, Timer, type TimerWheel } from '../../time.ts';
import type { Backend } from '../backend.ts';
import type { PickRequest } from '../balancers/balancer.ts';
import type { UdpListenerPlan } from '../plan.ts';
import type { Route } from '../route.ts';
import type { Service } from '../service.ts';
import type { TunnelEnding } from '../tunnel/tunnel-counters.ts';
import { type LegContext, type LegOwner, UdpLeg } from './udp-leg.ts';
import type { EndedSession } from './udp-report.ts';

/** How long answers that are still to come are waited for when a session has to go. */
const LEAVE_MS = 1_000;

/** What a session needs of the listener it belongs to. */
export interface SessionContext extends LegContext {
  readonly wheel: TimerWheel;
  readonly plan: UdpListenerPlan;
  readonly route: Route;
  answer(bytes: Buffer, port: number, address: string): void;
  ended(session: UdpSession): void;
  /** One that had a backend has ended, for those who watch. */
  tell(session: EndedSession, route: Route): void;
}

/** Who sent a datagram. */
export interface UdpClient {
  /** What the table of sessions knows it by. */
  readonly key: string;
  readonly address: string;
  readonly port: number;
  /** The address without the form in which a dual-stack socket sees IPv4. */
  readonly ip: string;
}

/** One client, by address and port, for as long as either side has something to say. */
export class UdpSession implements Expirable, LegOwner, PickRequest {
  readonly client: UdpClient;
  readonly path = '';
  /** Backends that refused what has not been answered since. */
  tried: Backend[] | undefined;
  readonly #context: SessionContext;
  readonly #timer = new Timer(this);
  #leg: UdpLeg | undefined;
  #eligibleSeen: readonly Backend[] | undefined;
  readonly #startedMs: number;
  #lastMs: number;
  #bytesIn = 0;
  #bytesOut = 0;
  /** The last it had. */
  #backend = '';
  #answersLeft = 0;
  #leaving: 'drain' | 'reload' | undefined;
  /** Whether it counts as open: it has had a backend. */
  #opened = false;
  #ended = false;

  constructor(context: SessionContext, client: UdpClient) {
    this.#context = context;
    this.client = client;
    this.#startedMs = context.wheel.nowMs;
    this.#lastMs = this.#startedMs;
    context.wheel.arm(this.#timer, context.plan.idleTimeoutMs);
  }

  // --- what balancers ask; there is no request to look into ---

  get clientIp(): string {
    return this.client.ip;
  }

  header(): undefined {
    return undefined;
  }

  cookie(): undefined {
    return undefined;
  }

  // --- both ways ---

  fromClient(bytes: Buffer): void {
    const context = this.#context;
    const { route, plan } = context;
    this.#lastMs = context.wheel.nowMs;
    route.tunnels.bytesIn += bytes.length;
    this.#bytesIn += bytes.length;
    if (plan.maxAnswers > 0) this.#answersLeft += plan.maxAnswers;
    if (this.#eligibleSeen !== route.service.eligible) this.#review();
    this.pass(bytes);
  }

  answered(bytes: Buffer): void {
    const { wheel, route, plan } = this.#context;
    if (plan.maxAnswers > 0) {
      if (this.#answersLeft <= 0) {
        this.#context.dropped('too_many_answers');
        return;
      }
      this.#answersLeft -= 1;
    }
    this.#lastMs = wheel.nowMs;
    this.tried = undefined;
    route.tunnels.bytesOut += bytes.length;
    this.#bytesOut += bytes.length;
    this.#context.answer(bytes, this.client.port, this.client.address);
    if (this.#leaving !== undefined && this.#leg?.unanswered === 0) this.end(this.#leaving);
  }

  /**
   * What was refused goes to another backend, as a refused connection does: nobody has read it. What may have been read
   * is not sent again; the client does that.
   */
  legFailed(code: FailureCode, unsent: readonly Buffer[]): void {
    const backend = this.#leg?.backend;
    this.#leg = undefined;
    if (code === 'out_of_sockets') {
      this.#context.dropped(code);
      this.end('backend');
      return;
    }
    if (backend !== undefined) {
      this.tried ??= [];
      this.tried.push(backend);
    }
    for (const bytes of unsent) this.pass(bytes);
  }

  pass(bytes: Buffer): void {
    if (this.#ended) return;
    // a way may fail as it is opened; each does so once, for the next one is to another backend
    while (this.#leg === undefined) {
      const backend = this.#context.route.service.pick(this);
      if (backend !== undefined) this.#open(backend);
      else {
        this.tried = undefined;
        this.#context.dropped('no_backend');
        return;
      }
      if (this.#ended) return;
    }
    this.#leg.send(bytes);
  }

  // --- coming and going ---

  /** Whether there is a backend that its datagrams go to. */
  get hasWay(): boolean {
    return this.#leg !== undefined;
  }

  get backend(): Backend | undefined {
    return this.#leg?.backend;
  }

  onDeadline(): void {
    const { wheel, plan } = this.#context;
    const leftMs = this.#lastMs + plan.idleTimeoutMs - wheel.nowMs;
    if (this.#leaving !== undefined) this.end(this.#leaving);
    else if (leftMs > 0) wheel.arm(this.#timer, leftMs);
    else this.end('idle');
  }

  /** The listener's idle timeout has changed. */
  retime(): void {
    if (this.#leaving === undefined) this.#context.wheel.arm(this.#timer, this.#context.plan.idleTimeoutMs);
  }

  /** Ends when its datagrams are answered, or soon: there is nothing by which its protocol would tell. */
  leave(why: 'drain' | 'reload'): void {
    if (this.#leg === undefined || this.#leg.unanswered === 0) {
      this.end(why);
      return;
    }
    this.#leaving = why;
    this.#context.wheel.arm(this.#timer, LEAVE_MS);
  }

  end(why: TunnelEnding): void {
    if (this.#ended) return;
    this.#ended = true;
    const { route, wheel } = this.#context;
    wheel.release(this.#timer);
    this.#leg?.close();
    this.#leg = undefined;
    if (this.#opened) {
      const durationMs = wheel.nowMs - this.#startedMs;
      route.tunnels.end(why, durationMs);
      this.#context.tell(this.#asEnded(why, durationMs), route);
    }
    this.#context.ended(this);
  }

  #asEnded(ending: TunnelEnding, durationMs: number): EndedSession {
    const [clientIp, backend] = [this.client.ip, this.#backend];
    const [bytesIn, bytesOut, startedMs] = [this.#bytesIn, this.#bytesOut, this.#startedMs];
    return { clientIp, backend, bytesIn, bytesOut, startedMs, durationMs, ending };
  }

  #open(backend: Backend): void {
    if (!this.#opened) this.#context.route.tunnels.begin();
    this.#opened = true;
    this.#backend = backend.name;
    // known before it is opened, for it may fail there and then
    this.#leg = new UdpLeg(this.#context, backend, this);
    this.#eligibleSeen = this.#context.route.service.eligible;
    this.#leg.open();
  }

  /** Backends have come or gone since the last datagram. */
  #review(): void {
    const { service } = this.#context.route;
    this.#eligibleSeen = service.eligible;
    if (this.#leg === undefined || mayStay(service, this.#leg)) return;
    this.#leg.close();
    this.#leg = undefined;
    if (this.#leaving === 'reload') this.#leaving = undefined;
  }
}

/** An operator who drains a backend lets its sessions end; a backend that does not work has none to end. */
function mayStay({ eligible, backends }: Service, leg: UdpLeg): boolean {
  const { backend } = leg;
  if (eligible.includes(backend)) return true;
  if (!backends.includes(backend)) return false;
  const { admin, health, ejection, breaker } = backend.eligibility;
  if (health?.healthy === false || ejection?.active === true) return false;
  if (breaker?.admits === false) return breaker.state === 'half-open' && leg.onTrial;
  return admin !== 'enabled';
}
