import { createHash, timingSafeEqual } from 'node:crypto';
import type { Exchange } from './exchange.ts';

/** A header line has to stay well under what clients take. */
const LONGEST_LINE = 4096;

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
  const excluded = route?.service.backends.flatMap((one) => {
    const out = one.eligibility.excluded();
    return out === undefined ? [] : [[one.name, out.reason] as const];
  });
  const told = {
    route: route?.name,
    service: route?.service.name,
    backend: backend?.name,
    decisions,
    excluded: Object.fromEntries(excluded ?? []),
    failOpen: route?.service.failOpen,
  };
  // fields are ASCII without control characters (RFC 9110 §5.5)
  const text = JSON.stringify(told).replace(/[^\x20-\x7e]/g, '?');
  return `X-Portway-Explain: ${text.slice(0, LONGEST_LINE)}\r\n`;
}
