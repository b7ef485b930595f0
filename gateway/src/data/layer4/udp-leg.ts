import type { RemoteInfo } from 'node:dgram';
import type { FailureCode } from '../../errors.ts';
import type { Clock } from '../../time.ts';
import { type Backend, NO_TICKET } from '../backend.ts';
import { connectFailureOf } from '../connect-failure.ts';
import type { Resolver } from '../resolver.ts';
import type { DirectSends } from './udp-direct-sends.ts';
import { type DatagramReader, UdpSocket } from './udp-socket.ts';

/** What of a session may wait until the backend's address is known. */
const MAX_HELD = 4;
/** Longer datagrams are not kept for another backend. */
const MAX_KEPT_BYTES = 2048;
/** What a backend counters' status is where the protocol has none; as for TCP connections. */
const ANSWERED = 200;

/** What all legs of a listener share. */
export interface LegContext {
  readonly clock: Clock;
  readonly resolver: Pick<Resolver, 'invalidate' | 'resolve'>;
  readonly sends: DirectSends;
  /** Asks for room for datagrams that wait for an address, among all sessions. */
  hold(bytes: number): boolean;
  release(bytes: number): void;
  /** A datagram was dropped. */
  dropped(code: string): void;
}

export interface LegOwner {
  answered(bytes: Buffer): void;
  /**
   * This way leads nowhere any more.
   * @param unsent what the backend has certainly not seen, oldest first
   */
  legFailed(code: FailureCode, unsent: readonly Buffer[]): void;
  /** Sends on, by whatever way there is. */
  pass(bytes: Buffer): void;
}

/** One session's way to one backend: a socket of its own, so that what comes back is the backend's and is this session's. */
export class UdpLeg implements DatagramReader {
  readonly backend: Backend;
  readonly #context: LegContext;
  readonly #owner: LegOwner;
  readonly #startedMs: number;
  #ticket: number;
  #socket: UdpSocket | undefined;
  #peerAddress = '';
  #peerPort = 0;
  #closed = false;
  /** What came before the address was known. */
  #held: Buffer[] = [];
  #heldBytes = 0;
  #hasAnswered = false;
  /** Datagrams sent since the last answer, less the answers that came since. */
  unanswered = 0;
  /** The only one that is not answered. */
  #kept: Buffer | undefined;

  constructor(context: LegContext, backend: Backend, owner: LegOwner) {
    this.#context = context;
    this.backend = backend;
    this.#owner = owner;
    this.#startedMs = context.clock.now();
    this.#ticket = backend.begin();
  }

  /** Whether the backend's breaker waits for what comes of this one. */
  get onTrial(): boolean {
    return this.#ticket !== NO_TICKET;
  }

  /** Calls back at once when the address is known, which is nearly always. */
  open(): void {
    const { host } = this.backend.plan;
    this.#context.resolver.resolve(host, (error, [first]) => {
      if (this.#closed) return;
      if (error !== undefined || first === undefined) this.#fail('dns_failed', this.#held);
      else this.#connect(first.address);
    });
  }

  send(bytes: Buffer): void {
    if (this.#closed) return;
    const socket = this.#socket;
    if (socket === undefined) {
      this.#hold(bytes);
      return;
    }
    const error = socket.send(bytes);
    if (error !== undefined) {
      this.#sendFailed(error, bytes);
      return;
    }
    this.unanswered += 1;
    this.#kept = this.unanswered === 1 && bytes.length <= MAX_KEPT_BYTES ? bytes : undefined;
  }

  onDatagram(bytes: Buffer, from: RemoteInfo): void {
    // between bind and connect the kernel takes datagrams from anyone, and keeps them
    if (from.port !== this.#peerPort || from.address !== this.#peerAddress || this.#closed) return;
    if (!this.#hasAnswered) this.#settle();
    if (this.unanswered > 0) this.unanswered -= 1;
    if (this.unanswered === 0) this.#kept = undefined;
    this.#owner.answered(bytes);
  }

  /** An ICMP message to an earlier datagram: which one is certain only where one alone is not answered. */
  onSocketError(code: string): void {
    if (this.#closed) return;
    const failure = unreachable(code);
    if (failure === undefined) this.#context.dropped(droppedCode(code));
    else this.#fail(failure, this.#keptAnd());
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket?.close();
    this.#releaseHeld();
    this.#kept = undefined;
    this.backend.pending -= 1;
    this.backend.dropped(this.#ticket);
    this.#ticket = NO_TICKET;
  }

  #connect(ip: string): void {
    const { sends } = this.#context;
    try {
      const socket = UdpSocket.connect(ip, this.backend.plan.port, sends, this);
      this.#socket = socket;
      // as the kernel writes it, which is how it comes with each datagram
      const peer = socket.peer;
      this.#peerAddress = peer.address;
      this.#peerPort = peer.port;
    } catch (error) {
      this.#fail(connectFailureOf(error as Error, false), this.#held);
      return;
    }
    const held = this.#held;
    this.#releaseHeld();
    // by then the first may have found that this way leads nowhere
    for (const bytes of held) this.#owner.pass(bytes);
  }

  #hold(bytes: Buffer): void {
    if (this.#held.length >= MAX_HELD || !this.#context.hold(bytes.length)) {
      this.#context.dropped('queue_full');
      return;
    }
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
  }

  #releaseHeld(): void {
    this.#context.release(this.#heldBytes);
    this.#heldBytes = 0;
    this.#held = [];
  }

  /** The error is the one of an earlier datagram, which the kernel tells of instead of sending this one. */
  #sendFailed(code: string, bytes: Buffer): void {
    const failure = unreachable(code);
    if (failure === undefined) this.#context.dropped(droppedCode(code));
    else this.#fail(failure, this.#keptAnd(bytes));
  }

  #keptAnd(...more: readonly Buffer[]): readonly Buffer[] {
    return this.#kept === undefined ? more : [this.#kept, ...more];
  }

  #settle(): void {
    this.#hasAnswered = true;
    const nowMs = this.#context.clock.now();
    this.backend.succeeded(this.#ticket, ANSWERED, nowMs - this.#startedMs, nowMs);
    this.#ticket = NO_TICKET;
  }

  #fail(code: FailureCode, unsent: readonly Buffer[]): void {
    // what is ours to lack says nothing of the backend
    if (code !== 'out_of_sockets') {
      const { host } = this.backend.plan;
      this.#context.resolver.invalidate(host, this.#peerAddress === '' ? undefined : this.#peerAddress);
      const ticket = this.#ticket;
      this.#ticket = NO_TICKET;
      this.backend.failed(ticket, code, this.#context.clock.now() - this.#startedMs);
    }
    this.close();
    this.#owner.legFailed(code, unsent);
  }
}

/** What an error says of the backend; undefined: nothing. */
function unreachable(code: string): FailureCode | undefined {
  if (code === 'ECONNREFUSED') return 'connect_refused';
  return UNREACHABLE.has(code) ? 'connect_failed' : undefined;
}

const UNREACHABLE: ReadonlySet<string> = new Set(['EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ENETDOWN']);

/** What a datagram that could not be sent is counted as. */
export function droppedCode(code: string): string {
  return code === 'EMSGSIZE' ? 'datagram_too_large' : 'send_failed';
}
