/**
 * A model of a backend that reads HTTP as leniently as published parsers have done: any line end, any space, folded lines,
 * names with spaces around them, chunk sizes as `parseInt` takes them. What it would execute must never be more than what
 * the gateway has routed.
 */
export interface Leniency {
  /** What counts when a request has both a length and chunks. */
  readonly prefers: 'length' | 'chunked';
  /** A bare CR ends a line too. */
  readonly bareCr: boolean;
  /** Methods whose body it takes for the next request. */
  readonly ignoresBodyOf: readonly string[];
  /** Whether it waits for no body when there is an Expect it does not understand. */
  readonly ignoresBodyOnExpect: boolean;
}

const strictest: Leniency = {
  prefers: 'chunked',
  bareCr: false,
  ignoresBodyOf: [],
  ignoresBodyOnExpect: false,
};

export const LENIENCIES: readonly Leniency[] = [
  strictest,
  { ...strictest, prefers: 'length' },
  { ...strictest, bareCr: true },
  { ...strictest, bareCr: true, prefers: 'length' },
];

/** `method target` of each request it would execute, of all that it received on one connection. */
export function executed(bytes: string, leniency: Leniency): string[] {
  const reader = new LenientReader(bytes, leniency);
  const requests: string[] = [];
  for (let request = reader.request(); request !== undefined; request = reader.request())
    requests.push(request);
  return requests;
}

class LenientReader {
  #at = 0;
  readonly #bytes: string;
  readonly #leniency: Leniency;

  constructor(bytes: string, leniency: Leniency) {
    this.#bytes = bytes;
    this.#leniency = leniency;
  }

  /** Undefined at the end, and where the rest is no request at all. */
  request(): string | undefined {
    let line = this.#line();
    while (line === '') line = this.#line();
    const [, method, target] = /^\s*(\S+)\s+(\S+)/.exec(line ?? '') ?? [];
    if (method === undefined || target === undefined) return undefined;
    const fields = this.#fields();
    if (fields === undefined || !this.#body(method, fields)) return undefined;
    return `${method} ${target}`;
  }

  /** Undefined when there is no whole line. */
  #line(): string | undefined {
    const end = /\r\n|\n/;
    const rest = this.#bytes.slice(this.#at);
    const match = (this.#leniency.bareCr ? /\r\n|\n|\r/ : end).exec(rest);
    if (match === null) return undefined;
    this.#at += match.index + match[0].length;
    return rest.slice(0, match.index).replace(/\r$/, '');
  }

  #fields(): Map<string, string[]> | undefined {
    const fields = new Map<string, string[]>();
    let last: string[] = [];
    for (;;) {
      const line = this.#line();
      if (line === undefined) return undefined;
      if (line === '') return fields;
      const colon = line.indexOf(':');
      const name = line.slice(0, colon).trim().toLowerCase();
      if (/^[ \t]/.test(line) && (colon < 0 || !/^(content-length|transfer-encoding)$/.test(name))) {
        last.push(`${last.pop() ?? ''} ${line.trim()}`);
        continue;
      }
      last = fields.get(name) ?? [];
      last.push(line.slice(colon + 1).trim());
      fields.set(name, last);
    }
  }

  #body(method: string, fields: ReadonlyMap<string, readonly string[]>): boolean {
    if (this.#leniency.ignoresBodyOf.includes(method)) return true;
    if (this.#leniency.ignoresBodyOnExpect && fields.has('expect')) return true;
    const length = fields.get('content-length');
    const chunked = /chunked/i.test((fields.get('transfer-encoding') ?? []).join());
    if (chunked && (length === undefined || this.#leniency.prefers === 'chunked')) return this.#chunks();
    const size = Number.parseInt(length?.[0] ?? '0', 10) || 0;
    this.#at += size;
    return this.#at <= this.#bytes.length;
  }

  #chunks(): boolean {
    for (;;) {
      const size = Number.parseInt(this.#line() ?? 'x', 16);
      if (Number.isNaN(size) || size < 0) return false;
      if (size === 0) break;
      this.#at += size;
      if (this.#at > this.#bytes.length) return false;
      this.#line();
    }
    for (let line = this.#line(); line !== ''; line = this.#line()) if (line === undefined) return false;
    return true;
  }
}
