import { travelling } from '../http1/chunked.ts';
import { FieldLines } from '../http1/field-lines.ts';
import { FIELD_ID } from '../http1/field-names.ts';
import { isLineAsWritten } from './written-line.ts';

const MAX_FIELDS = 100;
const MAX_BYTES = 16 * 1024;

/** In a trailer nobody means well with them: a reader that merges trailers into its head would frame or route anew. */
const FORBIDDEN =
  (1 << FIELD_ID['content-length']) |
  (1 << FIELD_ID['transfer-encoding']) |
  (1 << FIELD_ID.connection) |
  (1 << FIELD_ID['keep-alive']) |
  (1 << FIELD_ID['proxy-connection']) |
  (1 << FIELD_ID.upgrade) |
  (1 << FIELD_ID.host) |
  (1 << FIELD_ID.te) |
  (1 << FIELD_ID.expect);

/**
 * The trailer fields of an HTTP/2 request as lines of HTTP/1.1, less those that may not travel on; undefined for what is
 * malformed or forbidden.
 * @param raw names and values in turn
 */
export function trailerLines(raw: readonly string[]): string | undefined {
  let text = '';
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] ?? '';
    if (name.toLowerCase() !== name) return undefined;
    text += `${name}: ${raw[i + 1]}\r\n`;
  }
  text += '\r\n';
  if (text.length > MAX_BYTES) return undefined;
  // no more room than that: making it is most of what trailers cost
  const fields = new FieldLines(Math.min(MAX_FIELDS, raw.length / 2 + 1));
  const found = fields.parse(Buffer.from(`${text}\0`, 'latin1'), 0, text.length);
  if (found !== 'complete' || fields.end !== text.length || fields.count * 2 !== raw.length) return undefined;
  if ((fields.seen & FORBIDDEN) !== 0) return undefined;
  fields.text = text;
  for (let i = 0; i < fields.count; i++) {
    const nameLength = raw[i * 2]?.length ?? 0;
    if (!isLineAsWritten(fields, i, nameLength, raw[i * 2 + 1]?.length ?? 0)) return undefined;
  }
  return travelling(fields);
}
