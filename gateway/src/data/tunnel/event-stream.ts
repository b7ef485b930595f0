import type { FailureCode } from '../../errors.ts';
import { type Expirable, Timer, type TimerWheel } from '../../time.ts';
import type { Backend } from '../backend.ts';
import type { Exchange } from '../exchange.ts';
import type { BodySink } from '../http1/chunked.ts';
import type { FieldLines } from '../http1/field-lines.ts';
import { FIELD_ID } from '../http1/field-names.ts';
import { writeChunk } from '../http1/write-chunk.ts';
import type { Route } from '../route.ts';
import type { OpenTunnel, OpenTunnels } from './open-tunnels.ts';

/** How long the end of an event is waited for, when the stream has to end. */
const BOUNDARY_MS = 5_000;

const LF = 0x0a;
const CR = 0x0d;
const TYPE = 'text/event-stream';
const CONTENT_TYPE = 'content-type';

/** Whether an answer is a stream of events, which ends when somebody has had enough of it. */
export function isEventStream(fields: FieldLines): boolean {
  for (let i = 0; i < fields.count; i++) {
    if (fields.ids[i] !== FIELD_ID.other) continue;
    if ((fields.nameEnd[i] ?? 0) - (fields.lineStart[i] ?? 0) !== CONTENT_TYPE.length) continue;
    if (fields.name(i).toLowerCase() !== CONTENT_TYPE) continue;
    const value = fields.value(i).toLowerCase();
    return value === TYPE || value.startsWith(`${TYPE};`) || value.startsWith(`${TYPE} `);
  }
  return false;
}

export interface EventStreamDeps {
  readonly wheel: TimerWheel;
  readonly tunnels: OpenTunnels;
}

/** Who ends an exchange. */
interface StreamLine {
  responseEnd(exchange: Exchange): void;
  refuse(exchange: Exchange, code: FailureCode): void;
}

/** The answer to `exchange` is a stream of events: it has no total timeout, and a drain ends it between two of them. */
export function startEventStream(
  exchange: Exchange,
  route: Route,
  line: StreamLine,
  { wheel, tunnels }: EventStreamDeps,
): void {
  const { backendSide } = exchange;
  if (backendSide?.startEvents === undefined) return;
  exchange.timers?.close();
  const stream = new EventStream(exchange, route, line, wheel, () => tunnels.delete(stream));
  exchange.events = stream;
  backendSide.startEvents(stream);
  tunnels.add(stream);
}

/**
 * Passes a stream of events on, each read as a chunk, and knows whether what has been passed on ends with an event: with
 * an empty line (WHATWG HTML §9.2.5).
 */
export class EventStream implements BodySink, OpenTunnel, Expirable {
  readonly backend: Backend | undefined;
  readonly isStaged = true;
  route: Route;
  readonly #exchange: Exchange;
  readonly #line: StreamLine;
  readonly #wheel: TimerWheel;
  readonly #ended: () => void;
  #timer: Timer | undefined;
  /** The last three bytes passed on; it begins as if an event had just ended. */
  #tail = (LF << 8) | LF;
  /** `leaving`: it ends with the event under way; `cut`: that has ended. */
  #state: 'open' | 'leaving' | 'cut' | 'over' = 'open';
  #why: 'drain' | 'reload' = 'drain';

  constructor(exchange: Exchange, route: Route, line: StreamLine, wheel: TimerWheel, ended: () => void) {
    this.#exchange = exchange;
    this.route = route;
    this.backend = exchange.backend;
    this.#line = line;
    this.#wheel = wheel;
    this.#ended = ended;
  }

  bodyText(text: string): void {
    const bytes = Buffer.from(text, 'latin1');
    this.bodyBytes(bytes, 0, bytes.length);
  }

  bodyBytes(bytes: Buffer, start: number, end: number): void {
    if (this.#state === 'open') {
      for (let i = Math.max(start, end - 3); i < end; i++) this.#note(bytes[i] ?? 0);
      this.#write(bytes, start, end);
    } else if (this.#state === 'leaving') {
      let at = start;
      while (at < end && !this.#atBoundary) this.#note(bytes[at++] ?? 0);
      this.#write(bytes, start, at);
      if (this.#atBoundary) this.#cut();
    }
  }

  #note(byte: number): void {
    this.#tail = ((this.#tail << 8) | byte) & 0xffffff;
  }

  /** Lines end with LF, CR or CR LF. */
  get #atBoundary(): boolean {
    const last = this.#tail & 0xff;
    const before = (this.#tail >> 8) & 0xff;
    if (last === CR) return isLineEnd(before);
    return last === LF && (before === LF || (before === CR && isLineEnd(this.#tail >> 16)));
  }

  #write(bytes: Buffer, start: number, end: number): void {
    if (start === end) return;
    const { client } = this.#exchange;
    if (client.speaksChunked) writeChunk(client, bytes, start, end);
    else client.bodyBytes(bytes, start, end);
  }

  /** Its route has been replaced by one that differs in nothing but what may change under way. */
  reroute(route: Route): void {
    this.route = route;
  }

  leave(why: 'drain' | 'reload', graceMs: number): void {
    if (this.#state !== 'open') return;
    this.#why = why;
    if (this.#atBoundary) {
      this.#finish();
      return;
    }
    this.#state = 'leaving';
    this.#arm(Math.min(graceMs, BOUNDARY_MS));
  }

  /** Not at once: whose read this is goes on reading. */
  #cut(): void {
    this.#state = 'cut';
    this.#arm(0);
  }

  #arm(ms: number): void {
    this.#timer ??= new Timer(this);
    this.#wheel.arm(this.#timer, ms);
  }

  onDeadline(): void {
    if (this.#state === 'cut') this.#finish();
    else this.#line.refuse(this.#exchange, this.#why === 'drain' ? 'shutting_down' : 'route_gone');
  }

  /** A complete answer, as far as the client can tell. */
  #finish(): void {
    const exchange = this.#exchange;
    const { client, backendSide } = exchange;
    if (client.speaksChunked) client.bodyText('0\r\n\r\n');
    exchange.backendSide = undefined;
    backendSide?.cancel();
    this.#line.responseEnd(exchange);
  }

  /** The exchange has ended. */
  over(): void {
    this.#state = 'over';
    if (this.#timer !== undefined) this.#wheel.release(this.#timer);
    this.#ended();
  }
}

function isLineEnd(byte: number): boolean {
  return byte === LF || byte === CR;
}
