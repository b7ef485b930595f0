/** Fields that HTTP/2 has no place for (RFC 9113 §8.2.2), by their length, so that most names are told apart at once. */
const CONNECTION_SPECIFIC: readonly (readonly string[])[] = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  // and these node:http2 would throw at
  'te',
  'http2-settings',
].reduce<string[][]>((byLength, name) => {
  byLength[name.length] = [...(byLength[name.length] ?? []), name];
  return byLength;
}, []);

const STATUS_AT = 9;

/** The status of an HTTP/1.1 response head. */
export function statusOf(head: string): number {
  return Number(head.slice(STATUS_AT, STATUS_AT + 3));
}

/**
 * Writes the head of a response as HTTP/2 has it: `:status`, then names and values in turn, names in lower case.
 * @param head status line and fields of HTTP/1.1 as we write them (`Name: value` CRLF), with or without the empty line
 * @param status what `:status` says
 */
export function responseFields(head: string, status: string): string[] {
  const fields = [':status', status];
  addFields(fields, head, head.indexOf('\r\n') + 2);
  return fields;
}

/** Adds the field lines of `text` from `start` on to `fields`. */
export function addFields(fields: string[], text: string, start: number): void {
  let at = start;
  for (;;) {
    const end = text.indexOf('\r\n', at);
    // the empty line, or the end of a head that lacks it
    if (end <= at) return;
    const colon = text.indexOf(':', at);
    const name = text.slice(at, colon).toLowerCase();
    if (CONNECTION_SPECIFIC[name.length]?.includes(name) !== true)
      fields.push(name, text.slice(colon + 2, end));
    at = end + 2;
  }
}

/** The same as an object, several values of a name as a list. */
export function fieldsObject(fields: readonly string[]): Record<string, string | string[]> {
  const object: Record<string, string | string[]> = Object.create(null);
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] ?? '';
    const value = fields[i + 1] ?? '';
    const before = object[name];
    if (before === undefined) object[name] = value;
    else object[name] = Array.isArray(before) ? [...before, value] : [before, value];
  }
  return object;
}
