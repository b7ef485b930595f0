/** When a route takes a request: everything but its host and path, which router.ts and path-table.ts look up. */

/** What a route asks of a request. A RoutePlan is one. */
export interface RouteRule {
  /** Lower case, without port; `*.example.com` matches one or more labels before `.example.com`; undefined: every host. */
  readonly host: string | undefined;
  /** Canonical path prefix, starting with `/`, no `/` at its end unless it is `/`. Matches on segment boundaries. */
  readonly path: string;
  /** Empty matches every method. GET takes HEAD along, as nginx's limit_except does: RFC 9110 section 9.3.2 makes them one resource. */
  readonly methods: readonly string[];
  /** Lower-case names; the value undefined matches whatever is there. All must match. */
  readonly headers: readonly HeaderCondition[];
}

interface HeaderCondition {
  readonly name: string;
  readonly value: string | undefined;
}

/** What a rule may ask about a request; an exchange is one. */
export interface RequestFacts {
  readonly method: string;
  /** `name` is lower case; undefined when there is no such field. */
  header(name: string): string | undefined;
}

/**
 * A route in its path table. A list through the routes themselves: looking one up among 10 000 is mostly waiting for
 * memory, and an array for each prefix would be two more places to wait for.
 */
export interface Candidate<T> {
  readonly value: T;
  /** With HEAD wherever GET is. */
  readonly methods: readonly string[];
  readonly headers: readonly HeaderCondition[];
  /** The next best for the same path: of the same prefix or a shorter one. */
  next: Candidate<T> | undefined;
}

/** Shared by all routes without conditions, so that it is in the processor's cache. */
const NONE: readonly never[] = Object.freeze([]);

/** Copies what it needs of the rule: later changes to it do not reach the router. */
export function candidateOf<T>(rule: RouteRule, value: T): Candidate<T> {
  const methods = new Set(rule.methods);
  if (methods.has('GET')) methods.add('HEAD');
  const headers = rule.headers.map(({ name, value: wanted }) => ({ name, value: wanted }));
  return {
    value,
    methods: methods.size === 0 ? NONE : [...methods],
    headers: headers.length === 0 ? NONE : headers,
    next: undefined,
  };
}

/** For a stable sort, best first: more header conditions, then methods given over not given. */
export function compareCandidates(a: Candidate<unknown>, b: Candidate<unknown>): number {
  const byHeaders = b.headers.length - a.headers.length;
  if (byHeaders !== 0) return byHeaders;
  return Number(b.methods.length > 0) - Number(a.methods.length > 0);
}

export function takesMethod(candidate: Candidate<unknown>, method: string): boolean {
  return candidate.methods.length === 0 || candidate.methods.includes(method);
}

export function takesHeaders(candidate: Candidate<unknown>, facts: RequestFacts): boolean {
  const { headers } = candidate;
  for (let i = 0; i < headers.length; i++) {
    const condition = headers[i] as HeaderCondition;
    const value = facts.header(condition.name);
    if (value === undefined) return false;
    if (condition.value !== undefined && condition.value !== value) return false;
  }
  return true;
}
