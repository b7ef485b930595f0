import { type Expirable, Timer, type TimerWheel } from '../time.ts';
import type { BackendSide, Exchange, TunnelEnd } from './exchange.ts';
import type { RequestHead } from './http1/request-head.ts';
import type { Wire } from './wire.ts';

/** A chat may be silent for longer than a body: five minutes where a body has one. */
const IDLE_FACTOR = 5;
/** How long the side that is left may take nothing of what it was sent before, once the other is gone. */
const CLOSING_MS = 10_000;

/**
 * The protocol an Upgrade asks for (RFC 9110 §7.8), where it may be passed on: with `Connection: upgrade`, from an
 * HTTP/1.1 client, without a body; and not to HTTP/2 in the clear, by which a client could talk past the gateway.
 */
export function upgradeOf(head: RequestHead): string {
  const upgrade = head.upgrade;
  if (upgrade === '' || head.minorVersion === 0 || head.bodyLength !== 0) return '';
  return ONE_PROTOCOL.test(upgrade) ? upgrade : '';
}

/** One protocol (RFC 9110 §7.8), and not HTTP/2 by any name; a backend could read more than one differently. */
const ONE_PROTOCOL = /^(?!h2|http\/)[!#$%&'*+.^_`|~0-9A-Za-z-]+(?:\/[!#$%&'*+.^_`|~0-9A-Za-z-]+)?$/i;

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
  #pendingSeen = 0;

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
    if (this.client?.broken === true) this.#close();
    else this.#backend.end();
  }

  onBackendEnd(): void {
    if (this.#backend.broken) this.#close();
    else this.client?.end();
  }

  onClientClose(): void {
    this.#close();
  }

  onBackendClose(): void {
    this.#close();
  }

  onDeadline(): void {
    if (this.#done) this.#closing();
    else this.#close();
  }

  #close(): void {
    if (this.#done) return;
    this.#done = true;
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
