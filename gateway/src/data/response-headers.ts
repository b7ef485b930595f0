import { FIELD_ID } from './http1/field-names.ts';
import type { ResponseHead } from './http1/response-head.ts';
import type { HeaderEditPlan } from './plan.ts';
import { edited, isEdited } from './request-headers.ts';

const DROPPED = new Uint8Array(32);
const drop = (...names: (keyof typeof FIELD_ID)[]): void => {
  for (const name of names) DROPPED[FIELD_ID[name]] = 1;
};
// RFC 9110 §7.6.1, and what is framed anew
drop('connection', 'keep-alive', 'proxy-connection', 'te', 'transfer-encoding', 'content-length', 'upgrade');
drop('proxy-authenticate', 'proxy-authorization', 'http2-settings');

/** How a response's body is framed for the client. */
export type ResponseFraming = 'none' | 'length' | 'chunked' | 'close';

/**
 * The field lines of a response for the client, each ended by CRLF: what the backend sent less what was between it and
 * us, with Via, and Date where it is missing (RFC 9110 §6.6.1). Connection is the client connection's to add.
 */
export function responseFields(
  head: ResponseHead,
  framing: ResponseFraming,
  edit: HeaderEditPlan | undefined,
  extra: string,
  date: () => string,
): string {
  const fields = head.fields;
  const nominated = fields.has(FIELD_ID.connection) ? nominatedFields(fields.list(FIELD_ID.connection)) : undefined;
  let text = '';
  let run = -1;
  for (let i = 0; i < fields.count; i++) {
    const keep = DROPPED[fields.ids[i] ?? 0] === 0 && (nominated === undefined || !nominated.has(fields.name(i).toLowerCase()));
    const stays = keep && (edit === undefined || !isEdited(edit, fields.name(i).toLowerCase()));
    if (stays && fields.canonical(i)) {
      if (run < 0) run = i;
      continue;
    }
    if (run >= 0) text += lines(head, run, i - 1);
    run = -1;
    if (stays) text += `${fields.name(i)}: ${fields.value(i)}\r\n`;
  }
  if (run >= 0) text += lines(head, run, fields.count - 1);
  if (framing === 'chunked') text += 'Transfer-Encoding: chunked\r\n';
  else if (fields.has(FIELD_ID['content-length']) && head.status !== 204 && head.bodyLength >= 0) {
    text += `Content-Length: ${head.bodyLength}\r\n`;
  }
  if (!fields.has(FIELD_ID.date) && head.status >= 200) text += date();
  return `${text}Via: 1.${head.minorVersion} portway\r\n${extra}${edited(edit)}`;
}

function lines(head: ResponseHead, first: number, last: number): string {
  const { text, base, lineStart, lineEnd } = head.fields;
  return text.slice((lineStart[first] ?? 0) - base, (lineEnd[last] ?? 0) - base);
}

function nominatedFields(connection: string): ReadonlySet<string> | undefined {
  const lower = connection.toLowerCase();
  if (lower === 'keep-alive' || lower === 'close' || lower === 'upgrade') return undefined;
  return new Set(lower.split(',').map((name) => name.trim()));
}
