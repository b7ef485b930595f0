import type { RedactPlan } from '../control-plan.ts';

/** Stands where a secret stood. */
export const REDACTED = '[redacted]';

/** Distinctive enough to mean a secret anywhere in a name: `access_token`, `X-Amz-Signature`, `userPassword`. */
const PARTS =
  'token|secret|passw|passphrase|signature|credential|apikey|privatekey|accesskey|authoriz|session|sessid|jwt|saml|bearer';
/** Secret as a word of its own: `key` and `api_key`, and not `monkey`. */
const WORDS = 'key|keys|sig|code|pwd|pass|auth|sid|otp|pin|hmac|assertion|ticket|nonce|cred|creds';

const SECRET = new RegExp(`${PARTS}|(?:^|[^a-z])(?:${WORDS})(?:$|[^a-z])`, 'i');
/** `apiKey` → `api Key`, so that words are told apart there too. */
const HUMP = /([a-z0-9])([A-Z])/g;
/** No name without one of these looks secret, and most queries are done with that. */
const MAYBE =
  /%|key|sig|cod|token|secret|pass|pwd|auth|sess|cred|jwt|saml|bearer|sid|otp|pin|hmac|assert|ticket|nonce/i;

/** Hides values of queries. */
export class QueryRedaction {
  readonly #mode: 'all' | 'none' | 'some';
  readonly #names: ReadonlySet<string>;

  constructor({ query }: Pick<RedactPlan, 'query'>) {
    this.#mode = typeof query === 'string' ? query : 'some';
    this.#names = new Set(typeof query === 'string' ? [] : query);
  }

  /** `query` with or without its `?`, with what is secret in it replaced. */
  of(query: string): string {
    if (this.#mode === 'none') return query;
    if (this.#mode === 'some' && this.#names.size === 0 && !MAYBE.test(query)) return query;
    const from = query.startsWith('?') ? 1 : 0;
    // both separators: what one server takes for a value, another splits
    const parts = query.slice(from).split(/([&;])/);
    return query.slice(0, from) + parts.map((part) => this.#part(part)).join('');
  }

  /** A URL, such as that of Referer, with its query and fragment redacted and its user left out. */
  ofUrl(url: string): string {
    const bare = url.replace(/^([a-z][a-z0-9+.-]*:)?\/\/[^/?#]*@/i, (_all, scheme = '') => `${scheme}//`);
    const mark = bare.search(/[?#]/);
    if (mark < 0) return bare;
    const [query = '', ...fragments] = bare.slice(mark).split('#');
    // OAuth's implicit flow puts tokens into fragments
    return bare.slice(0, mark) + this.of(query) + fragments.map((text) => `#${this.of(text)}`).join('');
  }

  #part(part: string): string {
    const equals = part.indexOf('=');
    if (equals < 0) return this.#mode === 'all' && !/^[&;]?$/.test(part) ? REDACTED : part;
    return this.#hides(part.slice(0, equals)) ? part.slice(0, equals + 1) + REDACTED : part;
  }

  #hides(raw: string): boolean {
    if (this.#mode === 'all') return true;
    const name = decodedName(raw);
    return this.#names.has(name.toLowerCase()) || looksSecret(name);
  }
}

export function looksSecret(name: string): boolean {
  return SECRET.test(name) || SECRET.test(name.replace(HUMP, '$1 $2'));
}

/** As a server reads it; escapes within escapes too, since some decode twice. */
function decodedName(raw: string): string {
  let name = raw.replaceAll('+', ' ');
  for (let round = 0; round < 2 && name.includes('%'); round++) {
    name = name.replace(/%([0-9a-f]{2})/gi, (_all, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
  }
  return name;
}
