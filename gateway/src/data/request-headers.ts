import type { Random } from '../time.ts';
import { FIELD_ID } from './http1/field-names.ts';
import { CHUNKED, hasOption, type RequestHead } from './http1/request-head.ts';
import type { HeaderEditPlan } from './plan.ts';
import { isRequestId, isTraceparent, newSpanId, newTraceId } from './request-id.ts';

/** What the connection tells of the client; the same for every request on it. */
export interface ClientFacts {
  readonly peerIp: string;
  /** Whether the peer is a trusted proxy, whose forwarding fields are believed and added to. */
  readonly trusted: boolean;
  readonly proto: 'http' | 'https';
  /** Who the client is, by what trusted proxies say in X-Forwarded-For. */
  clientIp(forwardedFor: string | undefined): string;
}

const KEEP = 0;
const DROP = 1;
/** Kept only from a trusted proxy. */
const CLAIM = 2;
const CHECK = 3;

const ACTION = new Uint8Array(32).fill(KEEP);
const put = (action: number, ...names: (keyof typeof FIELD_ID)[]): void => {
  for (const name of names) ACTION[FIELD_ID[name]] = action;
};
// RFC 9110 §7.6.1, and what is framed anew below
put(DROP, 'connection', 'keep-alive', 'proxy-connection', 'te', 'transfer-encoding', 'upgrade', 'content-length');
put(DROP, 'proxy-authorization', 'proxy-authenticate', 'http2-settings', 'lookalike', 'expect', 'proxy-status');
// fields of which a second copy is written, with what the client may have said in it
put(DROP, 'x-forwarded-for', 'forwarded');
put(CLAIM, 'x-forwarded-proto', 'x-forwarded-host', 'x-forwarded-port', 'x-forwarded-prefix', 'x-forwarded-server');
put(CLAIM, 'x-forwarded-client-cert', 'x-real-ip');
put(CHECK, 'host', 'x-request-id', 'traceparent', 'max-forwards');

/**
 * Writes the fields of requests to backends. One per client connection: what does not change between its requests is
 * kept as text.
 */
export class RequestHeaders {
  readonly #client: ClientFacts;
  readonly #random: Random;
  #host = '';
  #forwarding = '';
  /** The id of the request written last. */
  requestId = '';

  constructor(client: ClientFacts, random: Random) {
    this.#client = client;
    this.#random = random;
  }

  /**
   * The field lines for a backend, each ended by CRLF, without the empty line that ends the head.
   * @param prefix the path prefix a rewrite took away, for X-Forwarded-Prefix; empty for none
   * @param upgrade the protocol to ask for; empty for none
   */
  write(head: RequestHead, edit: HeaderEditPlan | undefined, prefix: string, upgrade: string): string {
    const fields = head.fields;
    const nominated = fields.has(FIELD_ID.connection) ? nominatedFields(fields.list(FIELD_ID.connection)) : undefined;
    let text = head.absolute || !fields.has(FIELD_ID.host) ? `Host: ${head.host}\r\n` : '';
    let run = -1;
    for (let i = 0; i < fields.count; i++) {
      const keep = this.#keeps(head, i, edit, nominated);
      if (keep && fields.canonical(i)) {
        if (run < 0) run = i;
        continue;
      }
      if (run >= 0) text += lines(head, run, i - 1);
      run = -1;
      if (keep) text += `${fields.name(i)}: ${fields.value(i)}\r\n`;
    }
    if (run >= 0) text += lines(head, run, fields.count - 1);
    return text + this.#framing(head, upgrade) + this.#added(head, prefix) + edited(edit);
  }

  #keeps(head: RequestHead, index: number, edit: HeaderEditPlan | undefined, nominated: ReadonlySet<string> | undefined): boolean {
    const fields = head.fields;
    switch (ACTION[fields.ids[index] ?? 0]) {
      case DROP:
        return false;
      case CLAIM:
        if (!this.#client.trusted) return false;
        break;
      case CHECK:
        if (!keepsChecked(head, index)) return false;
    }
    if (nominated === undefined && edit === undefined) return true;
    const name = fields.name(index).toLowerCase();
    // a client must not be able to have Host or its like removed by naming it in Connection
    if (nominated?.has(name) && fields.ids[index] === FIELD_ID.other) return false;
    return edit === undefined || !isEdited(edit, name);
  }

  #framing(head: RequestHead, upgrade: string): string {
    let text = '';
    if (head.bodyLength === CHUNKED) text = 'Transfer-Encoding: chunked\r\n';
    else if (head.bodyLength > 0 || head.fields.has(FIELD_ID['content-length'])) text = `Content-Length: ${head.bodyLength}\r\n`;
    if (head.expectContinue) text += 'Expect: 100-continue\r\n';
    if (head.method === 'OPTIONS' && head.fields.has(FIELD_ID['max-forwards'])) {
      text += `Max-Forwards: ${Math.max(0, Number(head.fields.value(head.fields.indexOf(FIELD_ID['max-forwards']))) - 1)}\r\n`;
    }
    if (upgrade !== '') return `${text}Connection: Upgrade\r\nUpgrade: ${upgrade}\r\n`;
    if (head.fields.has(FIELD_ID.te) && hasOption(head.fields.list(FIELD_ID.te).toLowerCase(), 'trailers')) {
      text += 'TE: trailers\r\nConnection: TE\r\n';
    }
    return text;
  }

  #added(head: RequestHead, prefix: string): string {
    const fields = head.fields;
    let text = this.#forwardingFields(head);
    if (prefix !== '') text += `X-Forwarded-Prefix: ${prefix}\r\n`;
    const sent = fields.has(FIELD_ID['x-request-id']) ? fields.value(fields.indexOf(FIELD_ID['x-request-id'])) : '';
    const traced = fields.has(FIELD_ID.traceparent) && keepsChecked(head, fields.indexOf(FIELD_ID.traceparent));
    if (sent !== '' && isRequestId(sent)) this.requestId = sent;
    else {
      this.requestId = newTraceId(this.#random);
      text += `X-Request-Id: ${this.requestId}\r\n`;
      if (!traced) return `${text}traceparent: 00-${this.requestId}-${newSpanId(this.#random)}-00\r\n`;
    }
    if (!traced) text += `traceparent: 00-${newTraceId(this.#random)}-${newSpanId(this.#random)}-00\r\n`;
    return text;
  }

  /** Via (RFC 9110 §7.6.3), Forwarded (RFC 7239) and X-Forwarded-*. */
  #forwardingFields(head: RequestHead): string {
    if (this.#client.trusted) return this.#appended(head);
    if (head.host === this.#host && this.#forwarding !== '' && head.minorVersion === 1) return this.#forwarding;
    const { peerIp, proto } = this.#client;
    const text =
      `Via: 1.${head.minorVersion} portway\r\nX-Forwarded-For: ${peerIp}\r\nX-Forwarded-Proto: ${proto}\r\n` +
      `X-Forwarded-Host: ${head.host}\r\nForwarded: ${forwardedElement(peerIp, head.host, proto)}\r\n`;
    if (head.minorVersion === 1) {
      this.#host = head.host;
      this.#forwarding = text;
    }
    return text;
  }

  /** The same with what a trusted proxy said before us. */
  #appended(head: RequestHead): string {
    const { peerIp, proto } = this.#client;
    const fields = head.fields;
    const before = fields.list(FIELD_ID['x-forwarded-for']);
    const element = forwardedElement(peerIp, head.host, proto);
    const elements = fields.list(FIELD_ID.forwarded);
    let text = `Via: 1.${head.minorVersion} portway\r\nX-Forwarded-For: ${before === '' ? '' : `${before}, `}${peerIp}\r\n`;
    if (!fields.has(FIELD_ID['x-forwarded-proto'])) text += `X-Forwarded-Proto: ${proto}\r\n`;
    if (!fields.has(FIELD_ID['x-forwarded-host'])) text += `X-Forwarded-Host: ${head.host}\r\n`;
    text += `Forwarded: ${elements === '' ? '' : `${elements}, `}${element}\r\n`;
    return text;
  }
}

function lines(head: RequestHead, first: number, last: number): string {
  const { text, base, lineStart, lineEnd } = head.fields;
  return text.slice((lineStart[first] ?? 0) - base, (lineEnd[last] ?? 0) - base);
}

/** Fields that are kept, but not in every case. */
function keepsChecked(head: RequestHead, index: number): boolean {
  const fields = head.fields;
  switch (fields.ids[index]) {
    case FIELD_ID.host:
      return !head.absolute;
    case FIELD_ID['x-request-id']:
      return index === fields.indexOf(FIELD_ID['x-request-id']) && isRequestId(fields.value(index));
    case FIELD_ID.traceparent:
      return fields.countOf(FIELD_ID.traceparent) === 1 && isTraceparent(fields.value(index));
    default:
      // RFC 9110 §7.6.2: Max-Forwards counts down for OPTIONS (and TRACE, which is refused)
      return head.method !== 'OPTIONS';
  }
}

/** Names that Connection makes hop-by-hop (RFC 9110 §7.6.1); undefined when it names only what is dropped anyway. */
function nominatedFields(connection: string): ReadonlySet<string> | undefined {
  const lower = connection.toLowerCase();
  if (lower === 'keep-alive' || lower === 'close' || lower === 'upgrade') return undefined;
  return new Set(lower.split(',').map((name) => name.trim()));
}

function forwardedElement(ip: string, host: string, proto: string): string {
  const node = ip.includes(':') ? `"[${ip}]"` : ip;
  const value = /^[\w.!#$%&'*+^`|~-]+$/.test(host) ? host : `"${host}"`;
  return host === '' ? `for=${node};proto=${proto}` : `for=${node};host=${value};proto=${proto}`;
}

export function isEdited(edit: HeaderEditPlan, lowerName: string): boolean {
  if (edit.remove.some((name) => name.toLowerCase() === lowerName)) return true;
  return Object.keys(edit.set).some((name) => name.toLowerCase() === lowerName);
}

/** The lines that an edit sets. */
export function edited(edit: HeaderEditPlan | undefined): string {
  if (edit === undefined) return '';
  let text = '';
  for (const [name, value] of Object.entries(edit.set)) text += `${name}: ${value}\r\n`;
  return text;
}
