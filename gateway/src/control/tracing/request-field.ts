/** The value of the first field `name` (in lower case) of a head as a client sent it. */
export function requestField(head: string, name: string): string | undefined {
  let at = head.indexOf('\r\n') + 2;
  while (at > 1 && at < head.length) {
    const end = head.indexOf('\r\n', at);
    if (end <= at) return undefined;
    const isField = head.charCodeAt(at + name.length) === COLON;
    if (isField && head.slice(at, at + name.length).toLowerCase() === name)
      return head.slice(at + name.length + 1, end).trim();
    at = end + 2;
  }
  return undefined;
}

const COLON = 0x3a;
