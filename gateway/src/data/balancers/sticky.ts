import { createHmac } from 'node:crypto';
import type { StickyPlan } from '../plan.ts';
import type { Candidate, PickRequest } from './balancer.ts';

/** 96 bits: no two backends of a service share a token, and the cookie stays short. */
const TOKEN_CHARS = 16;

/**
 * Keeps a client on the backend that a cookie names, on top of any balancer: `find` is asked before the pick
 * and `cookieFor` after it.
 *
 * The cookie holds an HMAC of the backend's name, the same on every replica and after a restart. With a public
 * salt (the service's name) that hides addresses from a reader, not from one who tries all of them.
 */
export class Sticky {
  readonly #plan: StickyPlan;
  readonly #salt: string;
  readonly #attributes: string;
  readonly #tokens = new Map<string, string>();
  readonly #names = new Map<string, string>();
  #seen: readonly Candidate[] = [];

  constructor(plan: StickyPlan, secretSalt: string) {
    this.#plan = plan;
    this.#salt = secretSalt;
    // RFC 6265 §5.2.2: Max-Age 0 or less would delete the cookie.
    const maxAge = plan.ttlMs === undefined ? '' : `; Max-Age=${Math.max(1, Math.ceil(plan.ttlMs / 1000))}`;
    this.#attributes = `; Path=/${maxAge}; HttpOnly; SameSite=Lax`;
  }

  /** The candidate that the request's cookie names, if it is still among them. */
  find<C extends Candidate>(candidates: readonly C[], request: PickRequest): C | undefined {
    const token = request.cookie(this.#plan.cookie);
    if (token === undefined || token.length !== TOKEN_CHARS) return undefined;
    if (candidates !== this.#seen) {
      this.#seen = candidates;
      for (const { name } of candidates) this.#tokenOf(name);
    }
    const name = this.#names.get(token);
    return name === undefined ? undefined : candidates.find((candidate) => candidate.name === name);
  }

  /** The Set-Cookie value that names `candidate`; undefined when the client has sent that already. */
  cookieFor(candidate: Candidate, request: PickRequest): string | undefined {
    const token = this.#tokenOf(candidate.name);
    if (request.cookie(this.#plan.cookie) === token) return undefined;
    return `${this.#plan.cookie}=${token}${this.#attributes}`;
  }

  #tokenOf(name: string): string {
    const known = this.#tokens.get(name);
    if (known !== undefined) return known;
    const token = createHmac('sha256', this.#salt).update(name).digest('base64url').slice(0, TOKEN_CHARS);
    this.#tokens.set(name, token);
    this.#names.set(token, name);
    return token;
  }
}
