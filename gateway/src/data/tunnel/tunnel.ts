import { type Expirable, Timer, type TimerWheel } from '../../time.ts';
import type { Backend } from '../backend.ts';
import type { TunnelEnd } from '../exchange.ts';
import type { Route } from '../route.ts';
import type { ByteEnd } from './byte-end.ts';
import type { OpenTunnel } from './open-tunnels.ts';
import type { TunnelCounters, TunnelEnding } from './tunnel-counters.ts';

/** How long the side that is left may take nothing of what it was sent before, once the other is gone. */
const CLOSING_MS = 10_000;

/** What a tunnel is made of. */
export interface TunnelParts {
  readonly route: Route;
  /** Which backend it leads to. */
  readonly backend: Backend | undefined;
  readonly backendEnd: ByteEnd;
  readonly wheel: TimerWheel;
  /** Called once, when it has ended. */
  readonly ended: () => void;
}

/**
 * Bytes both ways, each side read only as fast as the other takes them. Either side may close its half; when one is gone,
 * so is the other.
 */
export class Tunnel implements TunnelEnd, OpenTunnel, Expirable {
  route: Route;
  readonly backend: Backend | undefined;
  readonly beganMs: number;
  /** From the client, and to it. */
  bytesIn = 0;
  bytesOut = 0;
  /** Why it ended; undefined while it is open. */
  ending: TunnelEnding | undefined = undefined;
  protected readonly backendEnd: ByteEnd;
  /** Undefined until the client's connection has been handed over. */
  protected clientEnd: ByteEnd | undefined = undefined;
  protected readonly wheel: TimerWheel;
  /** When each side was last heard of; up to a tick early. */
  protected clientHeardMs: number;
  protected backendHeardMs: number;
  /** Whether FIN has come from there. */
  protected clientHasEnded = false;
  protected backendHasEnded = false;
  #firstToEnd: 'client' | 'backend' | undefined = undefined;
  readonly #counters: TunnelCounters;
  readonly #timer: Timer;
  readonly #ended: () => void;
  #pendingSeen = 0;
  #sidesGone = 0;

  constructor({ route, backend, backendEnd, wheel, ended }: TunnelParts) {
    this.route = route;
    this.backend = backend;
    this.backendEnd = backendEnd;
    this.wheel = wheel;
    this.#ended = ended;
    this.#counters = route.tunnels;
    this.#counters.begin();
    this.beganMs = wheel.nowMs;
    this.clientHeardMs = wheel.nowMs;
    this.backendHeardMs = wheel.nowMs;
    this.#timer = new Timer(this);
  }

  /** The client's connection is the tunnel's now. It may have been fed and even ended before. */
  start(client: ByteEnd): void {
    this.clientEnd = client;
    if (this.ending === undefined) this.look();
    else client.destroySoon();
  }

  get durationMs(): number {
    return this.wheel.nowMs - this.beganMs;
  }

  // --- bytes ---

  onClientBytes(bytes: Buffer, start: number, end: number): void {
    this.heardClient(end - start);
    this.pass(bytes, start, end, this.backendEnd, this.clientEnd);
  }

  onBackendBytes(bytes: Buffer, start: number, end: number): void {
    this.heardBackend(end - start);
    this.pass(bytes, start, end, this.clientEnd, this.backendEnd);
  }

  protected heardClient(bytes: number): void {
    this.clientHeardMs = this.wheel.nowMs;
    this.bytesIn += bytes;
    this.#counters.bytesIn += bytes;
  }

  protected heardBackend(bytes: number): void {
    this.backendHeardMs = this.wheel.nowMs;
    this.bytesOut += bytes;
    this.#counters.bytesOut += bytes;
  }

  protected pass(
    bytes: Buffer,
    start: number,
    end: number,
    to: ByteEnd | undefined,
    from: ByteEnd | undefined,
  ): void {
    if (to === undefined) return;
    to.bytes(bytes, start, end);
    to.flush();
    if (to.pendingBytes > 0) from?.pause();
  }

  onClientDrain(): void {
    this.clientHeardMs = this.wheel.nowMs;
    this.backendEnd.resume();
  }

  onBackendDrain(): void {
    this.backendHeardMs = this.wheel.nowMs;
    this.clientEnd?.resume();
  }

  // --- the end ---

  onClientEnd(): void {
    this.clientHasEnded = true;
    this.#firstToEnd ??= 'client';
    if (this.clientEnd?.broken === true) this.close('client');
    else this.passEnd(this.backendEnd);
  }

  onBackendEnd(): void {
    this.backendHasEnded = true;
    this.#firstToEnd ??= 'backend';
    if (this.backendEnd.broken) this.close('backend');
    else this.passEnd(this.clientEnd);
  }

  protected passEnd(to: ByteEnd | undefined): void {
    to?.end();
  }

  onClientClose(): void {
    this.close(this.#firstToEnd ?? 'client');
    this.#gone();
  }

  onBackendClose(): void {
    this.close(this.#firstToEnd ?? 'backend');
    this.#gone();
  }

  /** When both sides are gone there is nothing left to wait for. */
  #gone(): void {
    this.#sidesGone += 1;
    if (this.#sidesGone === 2) this.wheel.release(this.#timer);
  }

  onDeadline(): void {
    if (this.ending === undefined) this.look();
    else this.#giveUp();
  }

  /** Its route has been replaced by one that differs in nothing but what may change under way. */
  reroute(route: Route): void {
    this.route = route;
    if (this.ending === undefined) this.look();
  }

  leave(why: 'drain' | 'reload', _graceMs: number): void {
    this.close(why);
  }

  /** Ends it if it is due, and otherwise says when to look again: that costs less than moving a deadline with each read. */
  protected look(): void {
    this.closeIfQuiet(this.route.webSocket.idleMs, 'idle');
  }

  protected closeIfQuiet(forMs: number, ending: TunnelEnding): void {
    const restMs = forMs - this.quietMs;
    if (restMs > 0) this.arm(restMs);
    else this.close(ending);
  }

  /** How long neither side has been heard of. */
  protected get quietMs(): number {
    return this.wheel.nowMs - Math.max(this.clientHeardMs, this.backendHeardMs);
  }

  protected arm(delayMs: number): void {
    this.wheel.arm(this.#timer, delayMs);
  }

  /** Both sides are closed when they have what they were sent before. */
  protected close(ending: TunnelEnding): void {
    if (this.ending !== undefined) return;
    this.ending = ending;
    // a side that is already gone ignores this; the other still gets what it was sent before
    this.backendEnd.destroySoon();
    this.clientEnd?.destroySoon();
    if (this.#pendingBytes > 0) this.#waitForPending();
    else this.wheel.release(this.#timer);
    this.#tellEnded(ending);
  }

  /** FIN to both sides; what they still say is read, and thrown away, for `lingerMs`, so that no reset eats what was sent. */
  protected finish(ending: TunnelEnding, lingerMs: number): void {
    if (this.ending !== undefined) return;
    this.ending = ending;
    this.backendEnd.end();
    this.clientEnd?.end();
    this.arm(lingerMs);
    this.#tellEnded(ending);
  }

  #tellEnded(ending: TunnelEnding): void {
    this.#counters.end(ending, this.durationMs);
    this.#ended();
  }

  /** Time is up: but a side that takes some of what is left for it may go on. */
  #giveUp(): void {
    if (this.#pendingBytes > 0 && this.#pendingBytes !== this.#pendingSeen) {
      this.#waitForPending();
      return;
    }
    this.backendEnd.destroy();
    this.clientEnd?.destroy();
  }

  #waitForPending(): void {
    this.#pendingSeen = this.#pendingBytes;
    this.arm(CLOSING_MS);
  }

  get #pendingBytes(): number {
    return this.backendEnd.pendingBytes + (this.clientEnd?.pendingBytes ?? 0);
  }
}
