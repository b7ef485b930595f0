import type { Random } from '../../time.ts';
import type { Route } from '../route.ts';
import type { ByteEnd } from './byte-end.ts';
import { Tunnel, type TunnelParts } from './tunnel.ts';
import type { TunnelEnding } from './tunnel-counters.ts';
import {
  closeFrame,
  GOING_AWAY,
  PROTOCOL_ERROR,
  pingFrame,
  SERVICE_RESTART,
  WebSocketFrames,
} from './websocket-frames.ts';

/** How long a side may take to answer a Close, at most; RFC 6455 leaves it open, `ws` and browsers wait longer. */
const ANSWER_MS = 5_000;
/** How long the side that is to close TCP first may take to do so, after FIN. */
const LINGER_MS = 1_000;
/** How long TCP may stay open, and silent, when both have sent Close or one has sent FIN: neither has anything to say. */
const CLOSED_MS = 10_000;

const TO_CLIENT = 1;
const TO_BACKEND = 2;

/** The gateway itself closes: what is said to each side, and which have been told (TO_CLIENT | TO_BACKEND). */
interface Parting {
  readonly ending: TunnelEnding;
  readonly clientCode: number;
  readonly backendCode: number;
  told: number;
}

/**
 * A tunnel that knows the frames of a WebSocket, and so where it may say something of its own: Pings, and Close frames
 * with the reason why it has to end.
 */
export class WebSocketTunnel extends Tunnel {
  readonly #fromClient = new WebSocketFrames('client');
  readonly #fromBackend = new WebSocketFrames('server');
  readonly #random: Random;
  /** When Pings were sent that are still to be looked after; 0: there are none. */
  #pingedMs = 0;
  /** To which sides. */
  #pinged = 0;
  #firstToClose: 'client' | 'backend' | undefined = undefined;
  #parting: Parting | undefined = undefined;

  constructor(parts: TunnelParts, random: Random) {
    super(parts);
    this.#random = random;
  }

  override start(client: ByteEnd): void {
    super.start(client);
    const parting = this.#parting;
    if (parting === undefined) return;
    // what the client sent with its request was broken
    this.#tellClient(parting);
    this.#partWhenAnswered(parting);
  }

  // --- bytes ---

  override onClientBytes(bytes: Buffer, start: number, end: number): void {
    this.heardClient(end - start);
    this.#relay(this.#fromClient, bytes, start, end, this.backendEnd, this.clientEnd);
  }

  override onBackendBytes(bytes: Buffer, start: number, end: number): void {
    this.heardBackend(end - start);
    this.#relay(this.#fromBackend, bytes, start, end, this.clientEnd, this.backendEnd);
  }

  #relay(
    frames: WebSocketFrames,
    bytes: Buffer,
    start: number,
    end: number,
    to: ByteEnd | undefined,
    from: ByteEnd | undefined,
  ): void {
    if (frames.holds) {
      const joined = frames.joined(bytes, start, end);
      this.#relay(frames, joined, 0, joined.length, to, from);
    } else if (this.#parting !== undefined) {
      this.#relayLast(this.#parting, frames, bytes, start, end, to, from);
    } else {
      const until = frames.read(bytes, start, end);
      if (until > start) this.pass(bytes, start, until, to, from);
      if (frames.state !== 'open') this.#noMore(frames);
    }
  }

  /** While the tunnel is being closed: the rest of a frame goes on; what follows is read for a Close, and thrown away. */
  #relayLast(
    parting: Parting,
    frames: WebSocketFrames,
    bytes: Buffer,
    start: number,
    end: number,
    to: ByteEnd | undefined,
    from: ByteEnd | undefined,
  ): void {
    const side = frames === this.#fromClient ? TO_BACKEND : TO_CLIENT;
    let at = start;
    if ((parting.told & side) === 0) {
      at = frames.readFrame(start, end);
      this.pass(bytes, start, at, to, from);
      if (side === TO_CLIENT) this.#tellClient(parting);
      else this.#tellBackend(parting);
    }
    frames.read(bytes, at, end);
    this.#partWhenAnswered(parting);
  }

  /** Nothing more of what that side sends is passed on. */
  #noMore(frames: WebSocketFrames): void {
    if (frames.state === 'broken') this.#part('protocol', PROTOCOL_ERROR, PROTOCOL_ERROR, ANSWER_MS);
    else {
      this.#firstToClose ??= frames === this.#fromClient ? 'client' : 'backend';
      if (this.#isOver) this.arm(CLOSED_MS);
    }
  }

  get #isOver(): boolean {
    if (this.clientHasEnded || this.backendHasEnded) return true;
    return this.#fromClient.state === 'closed' && this.#fromBackend.state === 'closed';
  }

  // --- silence ---

  override onDeadline(): void {
    // who has not answered Close by now will not
    if (this.#parting !== undefined && this.ending === undefined)
      this.finish(this.#parting.ending, LINGER_MS);
    else super.onDeadline();
  }

  protected override look(): void {
    if (this.#parting !== undefined) return;
    if (this.#isOver) this.closeIfQuiet(CLOSED_MS, this.clientHasEnded ? 'client' : 'backend');
    else this.#lookAtSilence(this.route);
  }

  #lookAtSilence({ webSocket: { idleMs, pingMs } }: Route): void {
    const { nowMs } = this.wheel;
    const idleRestMs = idleMs - this.quietMs;
    if (idleRestMs <= 0) {
      this.#part('idle', GOING_AWAY, GOING_AWAY, ANSWER_MS);
      return;
    }
    if (pingMs === 0) {
      this.arm(idleRestMs);
      return;
    }
    if (this.#pingedMs > 0 && nowMs - this.#pingedMs >= pingMs) {
      if (this.#isSilent) {
        this.#part('silent', GOING_AWAY, GOING_AWAY, ANSWER_MS);
        return;
      }
      this.#pingedMs = 0;
    }
    if (this.#pingedMs === 0 && this.quietMs >= pingMs) this.#ping();
    const pingRestMs = pingMs - (this.#pingedMs > 0 ? nowMs - this.#pingedMs : this.quietMs);
    this.arm(Math.min(idleRestMs, Math.max(0, pingRestMs)));
  }

  /** Whether a side that was pinged has sent nothing at all since. */
  get #isSilent(): boolean {
    const client = (this.#pinged & TO_CLIENT) !== 0 && this.clientHeardMs < this.#pingedMs;
    const backend = (this.#pinged & TO_BACKEND) !== 0 && this.backendHeardMs < this.#pingedMs;
    return client || backend;
  }

  /** Not in the middle of a frame, and not once a Close has been passed on: then who waits for whom is plain enough. */
  #ping(): void {
    this.#pingedMs = this.wheel.nowMs;
    this.#pinged = 0;
    if (this.#fromClient.state !== 'open' || this.#fromBackend.state !== 'open') return;
    if (this.#fromBackend.atBoundary && this.clientEnd !== undefined) {
      this.#pinged |= TO_CLIENT;
      this.clientEnd.text(pingFrame(undefined));
      this.clientEnd.flush();
    }
    if (this.#fromClient.atBoundary) {
      this.#pinged |= TO_BACKEND;
      this.backendEnd.text(pingFrame(this.#mask()));
      this.backendEnd.flush();
    }
  }

  #mask(): number {
    return Math.floor(this.#random() * 0x1_0000_0000);
  }

  // --- the end ---

  readonly isStaged = true;

  override leave(why: 'drain' | 'reload', graceMs: number): void {
    this.#part(why, SERVICE_RESTART, GOING_AWAY, Math.min(graceMs, ANSWER_MS));
  }

  protected override passEnd(to: ByteEnd | undefined): void {
    const parting = this.#parting;
    if (parting === undefined) {
      super.passEnd(to);
      this.arm(CLOSED_MS);
    } else this.#partWhenAnswered(parting);
  }

  protected override close(ending: TunnelEnding): void {
    super.close(this.#parting?.ending ?? this.#firstToClose ?? ending);
  }

  /** Says Close to both sides, to each at the end of the frame it is being sent, and ends when both have answered. */
  #part(ending: TunnelEnding, clientCode: number, backendCode: number, graceMs: number): void {
    if (this.ending !== undefined || this.#parting !== undefined) return;
    const parting: Parting = { ending, clientCode, backendCode, told: 0 };
    this.#parting = parting;
    this.arm(graceMs);
    this.#tellClient(parting);
    this.#tellBackend(parting);
    this.#partWhenAnswered(parting);
  }

  #tellClient(parting: Parting): void {
    const frames = this.#fromBackend;
    if ((parting.told & TO_CLIENT) !== 0 || !frames.atBoundary || this.clientEnd === undefined) return;
    parting.told |= TO_CLIENT;
    // it has had the backend's
    if (frames.state !== 'closed') {
      this.clientEnd.text(closeFrame(parting.clientCode, undefined));
      this.clientEnd.flush();
    }
    // what more it says is read for the answer alone
    this.backendEnd.resume();
  }

  #tellBackend(parting: Parting): void {
    const frames = this.#fromClient;
    if ((parting.told & TO_BACKEND) !== 0 || !frames.atBoundary) return;
    parting.told |= TO_BACKEND;
    if (frames.state !== 'closed') {
      this.backendEnd.text(closeFrame(parting.backendCode, this.#mask()));
      this.backendEnd.flush();
    }
    this.clientEnd?.resume();
  }

  #partWhenAnswered(parting: Parting): void {
    if (parting.told !== (TO_CLIENT | TO_BACKEND)) return;
    const client = this.clientHasEnded || this.#fromClient.state !== 'open';
    const backend = this.backendHasEnded || this.#fromBackend.state !== 'open';
    if (client && backend) this.finish(parting.ending, LINGER_MS);
  }
}
