import type { Exchange } from './exchange.ts';
import { FIELD_ID } from './http1/field-names.ts';
import { CHUNKED, hasOption, parseLength, type RequestHead, withoutSpace } from './http1/request-head.ts';
import type { HeaderEditPlan } from './plan.ts';
import { isRequestId, type RequestIds, traceparentOf } from './request-id.ts';

/** What the connection tells of the client; the same for every request on it. */
export interface ClientFacts {
  readonly peerIp: string;
  /** Whether the peer is a trusted proxy, whose forwarding fields are believed and added to. */
  readonly trusted: boolean;
  readonly proto: 'http' | 'https';
  /** What X-Forwarded-Client-Cert says of the certificate that was verified; empty: none was. */
  readonly certificate?: string;
  /** A whole field line for every answer, with its CRLF; empty: there is none. */
  readonly hstsLine?: string;
  /** Who the client is, by what trusted proxies say in X-Forwarded-For. */
  clientIp(forwardedFor: string | undefined): string;
}

/** Fields that call for more than the usual additions. */
const UNUSUAL = (1 << FIELD_ID['x-request-id']) | (1 << FIELD_ID.traceparent);

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
put(
  DROP,
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
  'content-length',
);
put(
  DROP,
  'proxy-authorization',
  'proxy-authenticate',
  'http2-settings',
  'lookalike',
  'expect',
  'proxy-status',
  'x-portway-explain',
);
// fields of which a second copy is written, with what the client may have said in it
put(DROP, 'x-forwarded-for', 'forwarded');
put(
  CLAIM,
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-prefix',
  'x-forwarded-server',
);
put(CLAIM, 'x-forwarded-client-cert', 'x-real-ip');
put(CHECK, 'host', 'x-request-id', 'traceparent', 'max-forwards');

/**
 * Writes the fields of requests to backends. One per client connection: what does not change between its requests is
 * kept as text.
 */
export class RequestHeaders {
  readonly #client: ClientFacts;
  readonly #ids: RequestIds;
  readonly #received: '2.0' | undefined;
  readonly #trace: string;
  #host: string | undefined;
  #usualText = '';

  /** @param received the version of HTTP that the client speaks, where its requests do not tell */
  constructor(client: ClientFacts, ids: RequestIds, received?: '2.0') {
    this.#client = client;
    this.#received = received;
    this.#ids = ids;
    this.#trace = `\r\ntraceparent: 00-${ids.prefix}`;
  }

  /**
   * The whole head for a backend. Also sets the exchange's request id.
   * @param requestLine with its CRLF; undefined when the client's own can stand
   */
  write(exchange: Exchange, head: RequestHead, requestLine: string | undefined): string {
    const edit = exchange.route?.requestHeaders;
    const fields = head.fields;
    const nominated = fields.has(FIELD_ID.connection)
      ? nominatedFields(fields.list(FIELD_ID.connection))
      : undefined;
    const ownHost = head.absolute || !fields.has(FIELD_ID.host);
    let text = requestLine ?? '';
    if (ownHost && (edit === undefined || !isEdited(edit, 'host'))) text += `Host: ${head.host}\r\n`;
    // stretches that are kept are cut out in one piece
    let from = requestLine === undefined ? 0 : head.fieldsAt;
    for (let i = 0; i < fields.count; i++) {
      const keep = this.#keeps(head, i, edit, nominated);
      if (keep && fields.canonical(i)) continue;
      text += fields.textBetween(from, i);
      from = fields.textAfter(i);
      if (keep) text += `${fields.name(i)}: ${fields.value(i)}\r\n`;
    }
    text += fields.textBetween(from, fields.count) + framingFields(head, exchange.upgrade);
    const added = this.#added(exchange, head);
    return edit === undefined ? `${text}${added}\r\n` : `${text}${unedited(added, edit)}${edited(edit)}\r\n`;
  }

  #keeps(
    head: RequestHead,
    index: number,
    edit: HeaderEditPlan | undefined,
    nominated: ReadonlySet<string> | undefined,
  ): boolean {
    const fields = head.fields;
    switch (ACTION[fields.ids[index] ?? 0]) {
      case DROP:
        return false;
      case CLAIM:
        if (!this.#client.trusted || this.#isReplaced(fields.ids[index])) return false;
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

  /** What a trusted proxy says of the client's certificate does not stand beside one that was verified here. */
  #isReplaced(id: number | undefined): boolean {
    return id === FIELD_ID['x-forwarded-client-cert'] && (this.#client.certificate ?? '') !== '';
  }

  #added(exchange: Exchange, head: RequestHead): string {
    const fields = head.fields;
    const { record } = exchange;
    const made = record !== undefined && record.idHalf !== '';
    const half = made ? record.idHalf : this.#ids.next();
    // the same string, so that it is made one piece only once
    const id = made ? record.traceId : this.#ids.traceId(half);
    if ((fields.seen & UNUSUAL) === 0 && !this.#client.trusted && head.minorVersion === 1) {
      exchange.requestId = id;
      const prefix = exchange.route?.taken ?? '';
      return `${prefix}${this.#usual(head.host)}${half}${this.#trace}${half}-${half}-00\r\n`;
    }
    let text =
      (exchange.route?.taken ?? '') +
      (this.#client.trusted
        ? this.#appended(head)
        : forwardingFields(this.#client, head.host, this.#received ?? `1.${head.minorVersion}`));
    const sent = fields.first(FIELD_ID['x-request-id']);
    if (isRequestId(sent)) exchange.requestId = sent;
    else {
      exchange.requestId = id;
      text += `X-Request-Id: ${id}\r\n`;
    }
    return traceparentOf(fields) !== '' ? text : `${text}traceparent: 00-${id}-${half}-00\r\n`;
  }

  /** The usual fields up to the half of the request id that differs, kept while requests name the same host. */
  #usual(host: string): string {
    if (host === this.#host) return this.#usualText;
    this.#host = host;
    const text = `${forwardingFields(this.#client, host, this.#received ?? '1.1')}X-Request-Id: ${this.#ids.prefix}`;
    // through bytes and back, so that it is one string and not a tree that each write has to walk
    this.#usualText = Buffer.from(text, 'latin1').toString('latin1');
    return this.#usualText;
  }

  /** The same with what a trusted proxy said before us. */
  #appended(head: RequestHead): string {
    const { peerIp, proto } = this.#client;
    const fields = head.fields;
    const before = fields.list(FIELD_ID['x-forwarded-for']);
    const element = forwardedElement(peerIp, head.host, proto);
    const elements = fields.list(FIELD_ID.forwarded);
    let text = `Via: ${this.#received ?? `1.${head.minorVersion}`} portway\r\nX-Forwarded-For: ${before === '' ? '' : `${before}, `}${peerIp}\r\n`;
    if (!fields.has(FIELD_ID['x-forwarded-proto'])) text += `X-Forwarded-Proto: ${proto}\r\n`;
    if (!fields.has(FIELD_ID['x-forwarded-host'])) text += `X-Forwarded-Host: ${head.host}\r\n`;
    text += `Forwarded: ${elements === '' ? '' : `${elements}, `}${element}\r\n`;
    return text + certificateLine(this.#client);
  }
}

/** What tells of a request's body and of what its connection may become. */
export function framingFields(head: RequestHead, upgrade: string): string {
  let text = '';
  if (head.bodyLength === CHUNKED) text = 'Transfer-Encoding: chunked\r\n';
  else if (head.bodyLength > 0 || head.fields.has(FIELD_ID['content-length']))
    text = `Content-Length: ${head.bodyLength}\r\n`;
  if (head.expectContinue) text += 'Expect: 100-continue\r\n';
  if (head.method === 'OPTIONS' && head.fields.has(FIELD_ID['max-forwards'])) {
    // 0 does not come this far; what is no number tells nothing and is not passed on
    const hops = parseLength(head.fields.list(FIELD_ID['max-forwards']));
    if (hops > 0) text += `Max-Forwards: ${hops - 1}\r\n`;
  }
  if (upgrade !== '') return `${text}Connection: Upgrade\r\nUpgrade: ${upgrade}\r\n`;
  if (head.fields.has(FIELD_ID.te) && hasOption(head.fields.list(FIELD_ID.te).toLowerCase(), 'trailers')) {
    text += 'TE: trailers\r\nConnection: TE\r\n';
  }
  return text;
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
      return traceparentOf(fields) !== '';
    default:
      // RFC 9110 §7.6.2: Max-Forwards counts down for OPTIONS (and TRACE, which is refused)
      return head.method !== 'OPTIONS';
  }
}

/** Names that Connection makes hop-by-hop (RFC 9110 §7.6.1); undefined when it names only what is dropped anyway. */
export function nominatedFields(connection: string): ReadonlySet<string> | undefined {
  if (connection === 'keep-alive') return undefined;
  const lower = connection.toLowerCase();
  if (lower === 'keep-alive' || lower === 'close' || lower === 'upgrade') return undefined;
  return new Set(lower.split(',').map(withoutSpace));
}

/** Via (RFC 9110 §7.6.3), X-Forwarded-* and Forwarded (RFC 7239) for a client that nobody speaks for. */
function forwardingFields(client: ClientFacts, host: string, version: string): string {
  const { peerIp, proto } = client;
  return (
    `Via: ${version} portway\r\nX-Forwarded-For: ${peerIp}\r\nX-Forwarded-Proto: ${proto}\r\n` +
    `X-Forwarded-Host: ${host}\r\nForwarded: ${forwardedElement(peerIp, host, proto)}\r\n` +
    certificateLine(client)
  );
}

function certificateLine({ certificate = '' }: ClientFacts): string {
  return certificate === '' ? '' : `X-Forwarded-Client-Cert: ${certificate}\r\n`;
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

/** Of lines that the gateway adds, those that an edit neither replaces nor removes. */
export function unedited(lines: string, edit: HeaderEditPlan): string {
  const kept = lines
    .split('\r\n')
    .filter((line) => line !== '' && !isEdited(edit, line.slice(0, line.indexOf(':')).toLowerCase()));
  return kept.map((line) => `${line}\r\n`).join('');
}

/** The lines that an edit sets. */
export function edited(edit: HeaderEditPlan | undefined): string {
  if (edit === undefined) return '';
  let text = '';
  for (const [name, value] of Object.entries(edit.set)) text += `${name}: ${value}\r\n`;
  return text;
}
