import { type Expirable, Timer, type TimerWheel } from '../../time.ts';
import type { TunnelEnd } from '../exchange.ts';
import type { Route } from '../route.ts';
import type { ByteEnd } from './byte-end.ts';
import type { OpenTunnel } from './open-tunnels.ts';
import type { TunnelEnding } from './tunnel-counters.ts';

/** How long the side that is left may take nothing of what it was sent before, once the other is gone. */
const CLOSING_MS = 10_000;

/**
 * Bytes both ways, each side read only as fast as the other takes them. Either side may close its half; when one is gone,
 * so is the other.
 */
export class Tunnel implements TunnelEnd, OpenTunnel, Expirable {
  readonly route: Route;
  client: ByteEnd | undefined;
  /** From the client, and to it. */
  bytesIn = 0;
  bytesOut = 0;
  /** Why it ended; undefined while it is open. */
  ending: TunnelEnding | undefined;
  readonly #backend: ByteEnd;
  readonly #wheel: TimerWheel;
  readonly #timer: Timer;
  readonly #idleMs: number;
  readonly #ended: () => void;
  #leavingFor: 'drain' | 'reload' | undefined;
  #pendingSeen = 0;

  /** @param ended called once, when it has ended */
  constructor(route: Route, backend: ByteEnd, wheel: TimerWheel, idleMs: number, ended: () => void) {
    this.route = route;
    this.#backend = backend;
    this.#wheel = wheel;
    this.#idleMs = idleMs;
    this.#ended = ended;
    this.#timer = new Timer(this);
    wheel.arm(this.#timer, idleMs);
  }

  onClientBytes(bytes: Buffer, start: number, end: number): void {
    this.bytesIn += end - start;
    this.#pass(bytes, start, end, this.#backend, this.client);
  }

  onBackendBytes(bytes: Buffer, start: number, end: number): void {
    if (this.client === undefined) return;
    this.bytesOut += end - start;
    this.#pass(bytes, start, end, this.client, this.#backend);
  }

  #pass(bytes: Buffer, start: number, end: number, to: ByteEnd, from: ByteEnd | undefined): void {
    this.#wheel.arm(this.#timer, this.#idleMs);
    to.bytes(bytes, start, end);
    to.flush();
    if (to.pendingBytes > 0) from?.pause();
  }

  onClientDrain(): void {
    this.#backend.resume();
  }

  onBackendDrain(): void {
    this.client?.resume();
  }

  onClientEnd(): void {
    if (this.client?.broken === true) this.#close('client');
    else this.#backend.end();
  }

  onBackendEnd(): void {
    if (this.#backend.broken) this.#close('backend');
    else this.client?.end();
  }

  onClientClose(): void {
    this.#close('client');
  }

  onBackendClose(): void {
    this.#close('backend');
  }

  onDeadline(): void {
    if (this.ending !== undefined) this.#closing();
    else this.#close(this.#leavingFor ?? 'idle');
  }

  leave(why: 'drain' | 'reload', _graceMs: number): void {
    this.#leavingFor = why;
    this.#close(why);
  }

  #close(ending: TunnelEnding): void {
    if (this.ending !== undefined) return;
    this.ending = ending;
    // a side that is already gone ignores this; the other still gets what it was sent before
    this.#backend.destroySoon();
    this.client?.destroySoon();
    this.#closing();
    this.#ended();
  }

  /** A side that takes none of what is left for it would stay for ever. */
  #closing(): void {
    const pending = this.#backend.pendingBytes + (this.client?.pendingBytes ?? 0);
    if (pending === 0 || pending === this.#pendingSeen) {
      this.#wheel.release(this.#timer);
      if (pending === 0) return;
      this.#backend.destroy();
      this.client?.destroy();
    } else {
      this.#pendingSeen = pending;
      this.#wheel.arm(this.#timer, CLOSING_MS);
    }
  }
}
