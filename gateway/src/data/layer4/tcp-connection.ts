import type { FailureCode } from '../../errors.ts';
import { type Clock, type Expirable, Timer, type TimerWheel } from '../../time.ts';
import { canonicalIp } from '../client-address.ts';
import { type ClientSide, Exchange, type TunnelEnd } from '../exchange.ts';
import type { Forward } from '../forward.ts';
import type { ClientFacts } from '../request-headers.ts';
import type { Route } from '../route.ts';
import type { Wire, WireReader } from '../wire.ts';
import { parseClientHello } from './client-hello.ts';
import { type ProxyEndpoint, parseProxyHeader, proxyHeaderV1, proxyHeaderV2 } from './proxy-protocol.ts';

/** What a client may send before its backend is there; then it is not read from any more. */
const MAX_HELD_BYTES = 64 * 1024;

/** A fatal alert (RFC 8446 §6), in a record of its own: unrecognized_name. */
const UNRECOGNIZED_NAME = '\x15\x03\x03\x00\x02\x02\x70';

/** What the connections of one TCP listener share. */
export interface TcpContext {
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly line: Forward;
  readonly helloTimeoutMs: number;
  /** Whether the TLS hello says which service it is. */
  readonly bySni: boolean;
  routeFor(serverName: string | undefined): Route | undefined;
  /** Before an exchange begins, for those who watch. */
  begins(exchange: Exchange, serverName: string | undefined): void;
  /** @param serverName that the client asked for, as far as it is known */
  refused(connection: TcpConnection, code: FailureCode, serverName: string): void;
  closed(connection: TcpConnection): void;
}

/** What is known of a client when it has been accepted. */
export interface TcpPeer {
  readonly source: ProxyEndpoint;
  /** Whether it begins with a PROXY header, being a trusted proxy. */
  readonly sendsHeader: boolean;
  readonly trusted: boolean;
}

/**
 * - `header`: a PROXY header is being read
 * - `hello`: a TLS hello is
 * - `waiting`: for the connection to a backend
 */
type Phase = 'header' | 'hello' | 'waiting' | 'tunnel' | 'closed';

/** One client of a TCP service, up to where its bytes go to a backend and back, and the end of that. */
export class TcpConnection implements WireReader, ClientSide, Expirable {
  readonly speaksChunked = false;
  readonly #context: TcpContext;
  readonly #wire: Wire;
  readonly #timer: Timer;
  readonly #peer: TcpPeer;
  #source: ProxyEndpoint;
  #destination: ProxyEndpoint | undefined;
  #phase: Phase;
  /** What has come and cannot go on yet. */
  #held: Buffer | undefined;
  #halfClosed = false;
  #exchange: Exchange | undefined;
  #tunnel: TunnelEnd | undefined;

  /** @param open makes the connection's wire */
  constructor(context: TcpContext, peer: TcpPeer, open: (reader: WireReader) => Wire) {
    this.#context = context;
    this.#peer = peer;
    this.#source = peer.source;
    this.#phase = peer.sendsHeader ? 'header' : 'hello';
    this.#timer = new Timer(this);
    this.#wire = open(this);
    if (this.#phase === 'header' || context.bySni) context.wheel.arm(this.#timer, context.helloTimeoutMs);
  }

  /** Looks for a backend at once, where the client need say nothing first. */
  start(): void {
    this.#readOn();
  }

  get facts(): ClientFacts {
    const { ip } = this.#source;
    return { peerIp: this.#peer.source.ip, trusted: this.#peer.trusted, proto: 'http', clientIp: () => ip };
  }

  // --- up to the backend ---

  onConnect(): void {}

  onBytes(bytes: Buffer, length: number): void {
    if (this.#phase === 'tunnel') {
      this.#tunnel?.onClientBytes(bytes, 0, length);
      return;
    }
    if (this.#phase === 'closed') return;
    const more = bytes.subarray(0, length);
    this.#held = this.#held === undefined ? Buffer.from(more) : Buffer.concat([this.#held, more]);
    if (this.#held.length > MAX_HELD_BYTES) this.#wire.pause();
    this.#readOn();
  }

  #readOn(): void {
    if (this.#phase === 'header') this.#readHeader();
    if (this.#phase === 'hello') this.#readHello();
  }

  #readHeader(): void {
    const held = this.#held;
    if (held === undefined) return;
    const header = parseProxyHeader(held);
    if (header.kind === 'malformed') this.#refuse('bad_proxy_header');
    if (header.kind !== 'header') return;
    this.#source = header.source ?? this.#source;
    this.#destination = header.destination;
    this.#held = held.length === header.end ? undefined : held.subarray(header.end);
    this.#phase = 'hello';
  }

  #readHello(): void {
    if (!this.#context.bySni) {
      this.#begin(undefined);
      return;
    }
    if (this.#held === undefined) return;
    const hello = parseClientHello(this.#held);
    if (hello.kind === 'malformed') this.#refuse('bad_client_hello');
    else if (hello.kind === 'other') this.#begin(undefined);
    else if (hello.kind === 'hello') this.#begin(hello.name, true);
  }

  #begin(serverName: string | undefined, tls = false): void {
    const { clock, wheel, line } = this.#context;
    wheel.release(this.#timer);
    const route = this.#context.routeFor(serverName);
    if (route === undefined) {
      if (tls) this.#wire.text(UNRECOGNIZED_NAME);
      this.#refuse('unknown_server_name', serverName);
      return;
    }
    this.#phase = 'waiting';
    const exchange = new Exchange(this, line, clock.now(), { method: '', path: '', fields: { text: '' } });
    exchange.requestHead = this.#headerFor(route);
    this.#exchange = exchange;
    this.#context.begins(exchange, serverName);
    line.beginRaw(exchange, route);
  }

  /** What the backend is told of the client, before what the client says. */
  #headerFor({ service }: Route): string {
    const version = service.plan.sendProxyProtocol;
    if (version === undefined) return '';
    const { localAddress, localPort } = this.#wire.socket;
    const own =
      localAddress === undefined
        ? undefined
        : { ip: canonicalIp(localAddress) ?? localAddress, port: localPort ?? 0 };
    const ends = [this.#source, this.#destination ?? own] as const;
    return version === 'v1' ? proxyHeaderV1(...ends) : proxyHeaderV2(...ends);
  }

  #refuse(code: FailureCode, serverName = ''): void {
    this.#phase = 'closed';
    this.#held = undefined;
    this.#context.wheel.release(this.#timer);
    this.#context.refused(this, code, serverName);
    this.#wire.destroySoon();
  }

  // --- ClientSide: what the gateway answers in HTTP is a reset here ---

  get bytesOut(): number {
    return this.#wire.bytesAdded;
  }

  interim(): void {}

  startResponse(): void {}

  bodyText(): void {}

  bodyBytes(): void {}

  pauseBody(): void {}

  resumeBody(): void {}

  flush(): boolean {
    return false;
  }

  endResponse(): void {
    this.breakResponse();
  }

  /** No backend, or none any more: a plain end would look like an empty answer. */
  breakResponse(): void {
    this.#exchange = undefined;
    this.#phase = 'closed';
    this.#held = undefined;
    this.#wire.reset();
  }

  // --- the tunnel ---

  startTunnel(tunnel: TunnelEnd): Wire {
    const held = this.#held;
    this.#phase = 'tunnel';
    this.#tunnel = tunnel;
    this.#exchange = undefined;
    this.#held = undefined;
    if (held !== undefined) tunnel.onClientBytes(held, 0, held.length);
    if (this.#halfClosed) tunnel.onClientEnd();
    else this.#wire.resume();
    return this.#wire;
  }

  onDrain(): void {
    this.#tunnel?.onClientDrain();
  }

  // --- the end ---

  /** FIN. Before the backend is there it may still be all that the client has to say. */
  onEnd(): void {
    this.#halfClosed = true;
    if (this.#phase === 'tunnel') this.#tunnel?.onClientEnd();
    else if (this.#phase !== 'waiting') this.#wire.destroy();
  }

  onClose(): void {
    const exchange = this.#exchange;
    const tunnel = this.#tunnel;
    this.#exchange = undefined;
    this.#tunnel = undefined;
    this.#held = undefined;
    this.#phase = 'closed';
    this.#context.wheel.release(this.#timer);
    this.#context.closed(this);
    tunnel?.onClientClose();
    if (exchange !== undefined) this.#context.line.clientLeft(exchange);
  }

  onDeadline(): void {
    this.#refuse('hello_timeout');
  }

  /** A connection that nothing has been done for yet is closed; the others end as they will. */
  close(): void {
    if (this.#phase === 'header' || this.#phase === 'hello') this.#wire.destroy();
  }

  destroy(): void {
    this.#wire.destroy();
  }
}
