import type { Exchange } from './exchange.ts';
import { FIELD_ID } from './http1/field-names.ts';
import { CHUNKED } from './http1/request-head.ts';
import { type ResponseHead, UNTIL_CLOSE } from './http1/response-head.ts';
import type { HeaderEditPlan } from './plan.ts';
import { edited, isEdited, nominatedFields, unedited } from './request-headers.ts';

const DROPPED = new Uint8Array(32);
const drop = (...names: (keyof typeof FIELD_ID)[]): void => {
  for (const name of names) DROPPED[FIELD_ID[name]] = 1;
};
// RFC 9110 §7.6.1, and what is framed anew
drop('connection', 'keep-alive', 'proxy-connection', 'te', 'transfer-encoding', 'upgrade');
drop('proxy-authenticate', 'proxy-authorization', 'http2-settings', 'x-portway-explain');

/** How a response's body is framed for the client. */
export type ResponseFraming = 'none' | 'length' | 'chunked' | 'close';

/** Where the listener sends its own, the backend's does not count (RFC 6797 §8.1: a client takes the first). */
const HSTS_FIELD = /(?<=\n)strict-transport-security:[^\n]*\n/gi;

/** RFC 9112 §6.3, and what the client understands. */
export function framingOf(exchange: Exchange, head: ResponseHead): ResponseFraming {
  if (exchange.method === 'HEAD' || head.status === 204 || head.status === 304) return 'none';
  if (head.bodyLength !== CHUNKED && head.bodyLength !== UNTIL_CLOSE) return 'length';
  return exchange.client.speaksChunked ? 'chunked' : 'close';
}

/**
 * The head of a response for the client, without its last empty line: what the backend sent less what was between it and
 * us, with Via, and Date where it is missing (RFC 9110 §6.6.1). Connection is the client connection's to add.
 * @param hstsLine of the client's listener, which takes the place of what the backend says of the same
 */
export function responseHeadText(
  head: ResponseHead,
  framing: ResponseFraming,
  edit: HeaderEditPlan | undefined,
  extra: string,
  date: () => string,
  hstsLine = '',
): string {
  const fields = head.fields;
  const nominated = fields.has(FIELD_ID.connection)
    ? nominatedFields(fields.list(FIELD_ID.connection))
    : undefined;
  let text = '';
  let from = 0;
  // RFC 9112 §4: the space before an absent reason is part of a status line
  if (head.minorVersion === 0 || fields.text.charCodeAt(12) !== 0x20) {
    text = `HTTP/1.1 ${head.status} ${head.reason}\r\n`;
    from = head.fieldsAt;
  }
  for (let i = 0; i < fields.count; i++) {
    const keep = keeps(head, i, framing, edit, nominated);
    if (keep && fields.canonical(i)) continue;
    text += fields.textBetween(from, i);
    from = fields.textAfter(i);
    if (keep) text += `${fields.name(i)}: ${fields.value(i)}\r\n`;
  }
  text += fields.textBetween(from, fields.count);
  if (hstsLine !== '') text = text.replace(HSTS_FIELD, '');
  if (framing === 'chunked') text += 'Transfer-Encoding: chunked\r\n';
  const dated = fields.has(FIELD_ID.date) || head.status < 200 ? '' : date();
  const added =
    dated + (head.minorVersion === 1 ? 'Via: 1.1 portway\r\n' : 'Via: 1.0 portway\r\n') + extra + hstsLine;
  return edit === undefined ? text + added : text + unedited(added, edit) + edited(edit);
}

function keeps(
  head: ResponseHead,
  index: number,
  framing: ResponseFraming,
  edit: HeaderEditPlan | undefined,
  nominated: ReadonlySet<string> | undefined,
): boolean {
  const fields = head.fields;
  const id = fields.ids[index] ?? 0;
  if (DROPPED[id] !== 0) return false;
  // RFC 9110 §8.6: not with 1xx and 204; it is what tells the length of the others, and of what HEAD asked about
  if (id === FIELD_ID['content-length'])
    return (framing === 'length' || framing === 'none') && head.status >= 200 && head.status !== 204;
  if (nominated === undefined && edit === undefined) return true;
  const name = fields.name(index).toLowerCase();
  return !(nominated?.has(name) ?? false) && (edit === undefined || !isEdited(edit, name));
}
