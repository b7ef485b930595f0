import { createHash, timingSafeEqual } from 'node:crypto';
import type { ProxyUserPlan } from '../plan.ts';

/** The challenge of a 407 (RFC 7617 §2). */
export const CHALLENGE = 'Proxy-Authenticate: Basic realm="portway", charset="UTF-8"\r\n';

const BASIC = /^basic +([A-Za-z0-9+/]+={0,2})$/i;

/** Who may use a forward proxy: names and passwords by Basic authentication, of which only digests are known. */
export class ProxyAuth {
  readonly #digests: readonly Buffer[];

  constructor(users: readonly ProxyUserPlan[]) {
    this.#digests = users.map(({ sha256 }) => Buffer.from(sha256, 'hex'));
  }

  /** @param credentials the value of Proxy-Authorization; several fields, or none, let nobody in */
  admits(credentials: string): boolean {
    const encoded = BASIC.exec(credentials)?.[1];
    if (encoded === undefined) return false;
    const digest = createHash('sha256').update(Buffer.from(encoded, 'base64')).digest();
    let found = false;
    // all of them, so that the time tells nothing
    for (const known of this.#digests) {
      if (known.length === digest.length && timingSafeEqual(known, digest)) found = true;
    }
    return found;
  }
}
