import { createHash, timingSafeEqual } from 'node:crypto';
import type { Exchange } from './exchange.ts';

/** A header line has to stay well under what clients take: 4 KiB, with the names of route, service and backend. */
const DECISIONS_CHARS = 1_536;
const EXCLUDED_CHARS = 2_048;

/** Who may ask, with X-Portway-Explain, why a request went where it went: whoever knows the admin token. */
export class ExplainAccess {
  readonly #digest: Buffer;

  /** @param sha256Hex of the token */
  constructor(sha256Hex: string) {
    this.#digest = Buffer.from(sha256Hex, 'hex');
  }

  /** Takes as long for a wrong token as for the right one. */
  allows(token: string): boolean {
    const digest = createHash('sha256').update(token, 'latin1').digest();
    return digest.length === this.#digest.length && timingSafeEqual(digest, this.#digest);
  }
}

/** The response line that tells what was decided; empty for all who did not ask or may not. */
export function explainLine(exchange: Exchange): string {
  const { decisions, route, backend } = exchange;
  if (decisions === undefined) return '';
  const excluded = (route?.service.backends ?? []).flatMap((one) => {
    const out = one.eligibility.excluded();
    return out === undefined ? [] : [[one.name, out.reason] as const];
  });
  const fitting = asManyAsFit(excluded, EXCLUDED_CHARS);
  const more = excluded.length - fitting.length;
  const told = {
    route: route?.name,
    service: route?.service.name,
    backend: backend?.name,
    decisions: asManyAsFit(decisions, DECISIONS_CHARS),
    excluded: Object.fromEntries(fitting),
    moreExcluded: more > 0 ? more : undefined,
    failOpen: route?.service.failOpen,
  };
  return `X-Portway-Explain: ${asciiJson(told)}\r\n`;
}

function asManyAsFit<T>(items: readonly T[], chars: number): readonly T[] {
  let left = chars;
  const end = items.findIndex((item) => {
    left -= asciiJson(item).length + 1;
    return left < 0;
  });
  return end < 0 ? items : items.slice(0, end);
}

/** Fields are ASCII without control characters (RFC 9110 §5.5). */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[^\x20-\x7e]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
