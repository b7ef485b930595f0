import { STATUS_CODES } from 'node:http';
import type { FailureCode } from '../../errors.ts';
import type { ResponseHead } from '../http1/response-head.ts';
import { webSocketAccept } from './web-socket-key.ts';

const MAX_HEAD_BYTES = 64 * 1024;
/** RFC 9110 §5.6.2, in lower case (RFC 9113 §8.2.1). */
const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
/** What would end a line of ours before its time. */
const BREAKS_LINES = /[\r\n\0]/;

/** RFC 9113 §8.2.2: an answer that has one is malformed. */
const CONNECTION_SPECIFIC: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);

/** What is known of an answer besides its fields. */
export interface AnswerFacts {
  /** Whether nothing follows its head. */
  readonly ended: boolean;
  /** Whether it is the answer to HEAD. */
  readonly toHead: boolean;
  /** Whether trailers matter more than a length, which leaves no room for them in HTTP/1.1. */
  readonly grpc: boolean;
  /** Of the WebSocket that was asked for; empty for none. */
  readonly webSocketKey: string;
}

/**
 * Reads the heads of answers in HTTP/2 by writing them as HTTP/1.1 and having that parsed as strictly as what comes as
 * such. One for each agent.
 */
export class AnswerReader {
  readonly #head: ResponseHead;
  readonly #bytes = Buffer.allocUnsafe(MAX_HEAD_BYTES + 1);

  constructor(head: ResponseHead) {
    this.#head = head;
  }

  /**
   * Fills the gateway's ResponseHead from names and values in turn.
   * Returns what is wrong with them.
   */
  read(raw: readonly string[], facts: AnswerFacts): FailureCode | undefined {
    const text = answerText(raw, facts);
    if (text === undefined) return 'bad_response';
    if (text.length > MAX_HEAD_BYTES) return 'response_head_too_large';
    this.#bytes.write(text, 0, 'latin1');
    this.#bytes[text.length] = 0;
    const failure = this.#head.parse(this.#bytes, 0, text.length);
    if (failure === 'too-large') return 'response_head_too_large';
    return failure === undefined ? undefined : 'bad_response';
  }
}

/** Undefined when they are not the head of an answer. */
function answerText(raw: readonly string[], facts: AnswerFacts): string | undefined {
  const status = statusOf(raw);
  // 101 is of HTTP/1.1 alone (RFC 9113 §8.6)
  if (status < 100 || status === 101) return undefined;
  const accepted = status === 200 && facts.webSocketKey !== '';
  let fields = '';
  let hasLength = false;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] ?? '';
    const value = raw[i + 1] ?? '';
    if (name === ':status') continue;
    if (!NAME.test(name) || BREAKS_LINES.test(value) || CONNECTION_SPECIFIC.has(name)) return undefined;
    if (name === 'content-length') {
      if (accepted || (facts.grpc && !facts.ended)) continue;
      hasLength = true;
    }
    fields += `${name}: ${value}\r\n`;
  }
  if (accepted) return `${switched(facts.webSocketKey)}${fields}\r\n`;
  const framed = hasLength || status < 200 || status === 204 || status === 304 || facts.toHead;
  const framing = framed ? '' : facts.ended ? 'content-length: 0\r\n' : 'transfer-encoding: chunked\r\n';
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${fields}${framing}\r\n`;
}

/** -1 when there is not exactly one, or it is none. */
function statusOf(raw: readonly string[]): number {
  let status = -1;
  for (let i = 0; i < raw.length; i += 2) {
    if (raw[i]?.charCodeAt(0) !== COLON) continue;
    if (raw[i] !== ':status' || status >= 0 || !/^[1-5]\d\d$/.test(raw[i + 1] ?? '')) return -1;
    status = Number(raw[i + 1]);
  }
  return status;
}

const COLON = 0x3a;

/** RFC 6455 §4.2.2: the answer that an HTTP/1.1 client waits for. */
function switched(key: string): string {
  return (
    `HTTP/1.1 101 ${STATUS_CODES[101]}\r\nupgrade: websocket\r\n` +
    `sec-websocket-accept: ${webSocketAccept(key)}\r\n`
  );
}
