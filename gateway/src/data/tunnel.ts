import { type Expirable, Timer, type TimerWheel } from '../time.ts';
import type { BackendSide, Exchange, TunnelEnd } from './exchange.ts';
import type { Wire } from './wire.ts';

/** A chat may be silent for longer than a body: five minutes where a body has one. */
const IDLE_FACTOR = 5;

/** Turns both connections of `exchange` into a tunnel; `ended` is called once, when both are closed. */
export function openTunnel(
  exchange: Exchange,
  side: BackendSide,
  wheel: TimerWheel,
  idleMs: number,
  ended: () => void,
): void {
  const tunnel = new Tunnel(side.wire, wheel, idleMs * IDLE_FACTOR, ended);
  side.startTunnel(tunnel);
  tunnel.client = exchange.client.startTunnel(tunnel);
}

/**
 * Bytes both ways, each side read only as fast as the other takes them. Either side may close its half; when one is gone,
 * so is the other.
 */
class Tunnel implements TunnelEnd, Expirable {
  client: Wire | undefined;
  readonly #backend: Wire;
  readonly #wheel: TimerWheel;
  readonly #timer: Timer;
  readonly #idleMs: number;
  readonly #ended: () => void;
  #done = false;

  constructor(backend: Wire, wheel: TimerWheel, idleMs: number, ended: () => void) {
    this.#backend = backend;
    this.#wheel = wheel;
    this.#idleMs = idleMs;
    this.#ended = ended;
    this.#timer = new Timer(this);
    wheel.arm(this.#timer, idleMs);
  }

  onClientBytes(bytes: Buffer, start: number, end: number): void {
    this.#pass(bytes, start, end, this.#backend, this.client);
  }

  onBackendBytes(bytes: Buffer, start: number, end: number): void {
    if (this.client !== undefined) this.#pass(bytes, start, end, this.client, this.#backend);
  }

  #pass(bytes: Buffer, start: number, end: number, to: Wire, from: Wire | undefined): void {
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
    this.#backend.end();
  }

  onBackendEnd(): void {
    this.client?.end();
  }

  onClientClose(): void {
    this.#close();
  }

  onBackendClose(): void {
    this.#close();
  }

  onDeadline(): void {
    this.#close();
  }

  #close(): void {
    if (this.#done) return;
    this.#done = true;
    this.#wheel.release(this.#timer);
    // a side that is already gone ignores this; the other still gets what it was sent before
    this.#backend.destroySoon();
    this.client?.destroySoon();
    this.#ended();
  }
}
