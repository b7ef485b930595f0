import type { AccessLogPlan } from '../control-plan.ts';
import { clientText, quoted } from './json-text.ts';
import { type QueryRedaction, REDACTED } from './redact-query.ts';

/** Credentials: their values are never logged, whatever a config lists. */
export const NEVER_LOGGED: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'proxy-authorization',
  'set-cookie',
  'x-portway-explain',
]);

/** Fields whose values are URLs, which may hold secrets where a request's own may. */
const URLS: ReadonlySet<string> = new Set(['referer', 'origin', 'x-original-url', 'x-rewrite-url']);

const MAX_NAME_CHARS = 256;
const MAX_VALUE_CHARS = 1_024;
/** Of all fields of one request: lines stay under 16 KiB, beyond which Docker breaks them. */
const MAX_CHARS = 4_096;

/** Picks the fields of requests that are logged. */
export class LoggedFields {
  readonly #names: ReadonlySet<string>;
  readonly #all: boolean;
  readonly #hidden: ReadonlySet<string>;
  readonly #query: QueryRedaction;

  constructor({ headers, redact }: Pick<AccessLogPlan, 'headers' | 'redact'>, query: QueryRedaction) {
    this.#names = new Set(headers);
    this.#all = headers.includes('*');
    this.#hidden = new Set([...NEVER_LOGGED, ...redact.headers]);
    this.#query = query;
  }

  get none(): boolean {
    return this.#names.size === 0;
  }

  /** A JSON object of those that `head` (request line and fields) has; empty text when it has none. */
  of(head: string): string {
    let text = '';
    for (const [name, value] of this.#pick(head)) {
      if (text.length > MAX_CHARS) break;
      text += `${text === '' ? '{' : ','}${quoted(clientText(name, MAX_NAME_CHARS))}:${quoted(value)}`;
    }
    return text === '' ? '' : `${text}}`;
  }

  #pick(head: string): ReadonlyMap<string, string> {
    const found = new Map<string, string>();
    let at = head.indexOf('\r\n') + 2;
    while (at > 1 && at < head.length) {
      const colon = head.indexOf(':', at);
      const end = head.indexOf('\r\n', at);
      if (colon < 0 || end <= at) break;
      const name = head.slice(at, colon).toLowerCase();
      if (this.#all || this.#names.has(name)) this.#add(found, name, head.slice(colon + 1, end).trim());
      at = end + 2;
    }
    return found;
  }

  #add(found: Map<string, string>, name: string, value: string): void {
    const before = found.get(name);
    if (this.#hidden.has(name)) found.set(name, REDACTED);
    else {
      const plain = URLS.has(name) ? this.#query.ofUrl(value) : value;
      const text = clientText(plain, MAX_VALUE_CHARS);
      found.set(name, before === undefined ? text : clientText(`${before}, ${text}`, MAX_VALUE_CHARS));
    }
  }
}
