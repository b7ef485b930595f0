import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { FailureCode } from '../errors.ts';
import { type Expirable, Timer, type TimerWheel } from '../time.ts';
import { latin1 } from './latin1.ts';
import { isLocal, parseProxyHeader } from './layer4/proxy-protocol.ts';
import type { TlsAcceptor } from './tls/tls-acceptor.ts';

/** What comes before the first request of a connection. */
export interface Opening {
  /** A PROXY header. */
  readonly proxied: boolean;
  /** Undefined: in the clear. */
  readonly tls: TlsAcceptor | undefined;
  /** Whether HTTP/2 may be spoken: by ALPN with TLS, by prior knowledge without. */
  readonly http2: boolean;
  /** For all of it together. */
  readonly timeoutMs: number;
}

/** A connection that is ready for its first request. */
export interface Arrived {
  readonly socket: Socket | TLSSocket;
  readonly protocol: 'http1' | 'h2';
  /** What the PROXY header says of the client; undefined: the peer is the client. */
  readonly sourceIp: string | undefined;
  /** Whether it says that there is a client, and not who: what comes is that client's word, and not the proxy's. */
  readonly isNameless: boolean;
  /** What was read beyond the opening. With HTTP/2 it has been put back into the socket. */
  readonly initial: Buffer;
}

export interface ArrivalHost {
  readonly wheel: TimerWheel;
  /** One of these two is called, once. */
  arrived(arrival: Arrival, arrived: Arrived): void;
  /** Its socket is gone. The code is undefined for who came and went without a word: probes of ports do that all day. */
  lost(arrival: Arrival, code: FailureCode | undefined): void;
}

/** RFC 9113 §3.4 */
const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const NOTHING = Buffer.alloc(0);

/** What to do with what was read; undefined: more is needed to tell. */
type Decision = (() => void) | undefined;

/** A connection on its way to its first request: PROXY header, TLS handshake, choice of the protocol, in this order. */
export class Arrival implements Expirable {
  readonly #host: ArrivalHost;
  readonly #socket: Socket;
  readonly #opening: Opening;
  readonly #timer: Timer;
  #sourceIp: string | undefined;
  #isNameless = false;
  /** What its end would be counted as. */
  #failure: FailureCode | undefined;
  readonly #onClose = (): void => this.#lost();

  /** @param socket accepted with `pauseOnConnect`, and not read from */
  constructor(host: ArrivalHost, socket: Socket, opening: Opening) {
    this.#host = host;
    this.#socket = socket;
    this.#opening = opening;
    this.#timer = new Timer(this);
    host.wheel.arm(this.#timer, opening.timeoutMs);
    socket.on('error', ignore);
    socket.on('close', this.#onClose);
  }

  start(): void {
    if (!this.#opening.proxied) {
      this.#secure(NOTHING);
      return;
    }
    this.#failure = 'bad_proxy_header';
    this.#read(NOTHING, (bytes) => {
      const header = parseProxyHeader(bytes);
      if (header.kind === 'incomplete') return undefined;
      if (header.kind === 'malformed') return () => this.destroy();
      return () => {
        this.#failure = undefined;
        this.#sourceIp = header.source?.ip;
        this.#isNameless = header.source === undefined && !isLocal(bytes);
        this.#secure(bytes.subarray(header.end));
      };
    });
  }

  #secure(bytes: Buffer): void {
    const { tls, http2 } = this.#opening;
    if (tls === undefined) {
      if (http2) this.#read(bytes, (read) => this.#byPreface(read));
      else this.#arrive(this.#socket, 'http1', bytes);
      return;
    }
    this.#failure = 'tls_handshake_failed';
    if (bytes.length > 0) this.#socket.unshift(bytes);
    tls.accept(this.#socket, (secure) =>
      this.#arrive(secure, secure.alpnProtocol === 'h2' ? 'h2' : 'http1', NOTHING),
    );
  }

  #byPreface(bytes: Buffer): Decision {
    const start = latin1(bytes, 0, Math.min(bytes.length, PREFACE.length));
    if (!PREFACE.startsWith(start)) return () => this.#arrive(this.#socket, 'http1', bytes);
    if (start.length < PREFACE.length) return undefined;
    return () => {
      this.#socket.unshift(bytes);
      this.#arrive(this.#socket, 'h2', NOTHING);
    };
  }

  /** Reads until there is a decision. Bytes without one are few: a PROXY header or a preface that is not whole yet. */
  #read(first: Buffer, decide: (bytes: Buffer) => Decision): void {
    const decision = first.length === 0 ? undefined : decide(first);
    if (decision !== undefined) {
      decision();
      return;
    }
    const socket = this.#socket;
    let bytes = first;
    const onEnd = (): void => this.destroy();
    const onData = (more: Buffer): void => {
      bytes = bytes.length === 0 ? more : Buffer.concat([bytes, more]);
      const decided = decide(bytes);
      if (decided === undefined) return;
      socket.pause();
      socket.off('data', onData);
      socket.off('end', onEnd);
      decided();
    };
    socket.on('data', onData);
    socket.on('end', onEnd);
    socket.resume();
  }

  #arrive(socket: Socket | TLSSocket, protocol: Arrived['protocol'], initial: Buffer): void {
    this.#socket.off('close', this.#onClose);
    this.#host.wheel.release(this.#timer);
    const [sourceIp, isNameless] = [this.#sourceIp, this.#isNameless];
    this.#host.arrived(this, { socket, protocol, sourceIp, isNameless, initial });
  }

  #lost(): void {
    this.#host.wheel.release(this.#timer);
    const isSilent = this.#socket.bytesRead === 0 && this.#failure !== 'hello_timeout';
    this.#host.lost(this, isSilent ? undefined : this.#failure);
  }

  onDeadline(): void {
    this.#failure = 'hello_timeout';
    this.destroy();
  }

  /** There is no request yet that could be answered. */
  close(): void {
    this.#failure = undefined;
    this.destroy();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

function ignore(): void {}
