import { PathTable } from './path-table.ts';
import {
  type Candidate,
  candidateOf,
  type RequestFacts,
  type RouteRule,
  takesHeaders,
  takesMethod,
} from './route-rule.ts';

export type { RequestFacts, RouteRule } from './route-rule.ts';

export interface RouterEntry<T> {
  readonly rule: RouteRule;
  readonly value: T;
}

/**
 * Finds the route of a request; fixed once made, a new config makes a new one. Of all routes that match, the best is
 * that with: the exact host, then the longer wildcard, then no host; then the longer path; then more header
 * conditions; then methods given; then the earlier place in the config. A route that does not match (a wrong method,
 * say) never hides one that does.
 */
export class Router<T> {
  readonly #byHost = new Map<string, PathTable<T>>();
  /** By what follows the star, dot included. */
  readonly #byWildcard = new Map<string, PathTable<T>>();
  readonly #anyHost: PathTable<T> | undefined;
  readonly #maxWildcardLength: number;

  /** `entries` in the order of the config. */
  constructor(entries: readonly RouterEntry<T>[]) {
    const groups = Map.groupBy(entries, ({ rule }) => rule.host);
    let maxWildcardLength = 0;
    for (const [host, group] of groups) {
      if (host === undefined) continue;
      const table = tableOf(group);
      if (host.startsWith('*.')) {
        this.#byWildcard.set(host.slice(1), table);
        maxWildcardLength = Math.max(maxWildcardLength, host.length - 1);
      } else this.#byHost.set(host, table);
    }
    this.#maxWildcardLength = maxWildcardLength;
    const anyHost = groups.get(undefined);
    this.#anyHost = anyHost === undefined ? undefined : tableOf(anyHost);
  }

  /** The value of the best route, or undefined. `host` and `path` are canonical (see target.ts). */
  find(host: string, path: string, facts: RequestFacts): T | undefined {
    let found = this.#byHost.size === 0 ? undefined : this.#byHost.get(host)?.find(path, facts);
    if (found === undefined && this.#maxWildcardLength > 0) found = this.#findByWildcard(host, path, facts);
    if (found === undefined) found = this.#anyHost?.find(path, facts);
    return found?.value;
  }

  /**
   * For the Allow field of a 405: the methods, sorted, of the routes that match in all but the method. Empty when
   * there is none, or when the request does have a route.
   */
  allowedMethods(host: string, path: string, facts: RequestFacts): readonly string[] {
    const methods = new Set<string>();
    for (const table of this.#tablesOf(host)) {
      for (let candidate = table.candidates(path); candidate !== undefined; candidate = candidate.next) {
        if (!takesHeaders(candidate, facts)) continue;
        if (takesMethod(candidate, facts.method)) return [];
        for (const method of candidate.methods) methods.add(method);
      }
    }
    return [...methods].sort();
  }

  #findByWildcard(host: string, path: string, facts: RequestFacts): Candidate<T> | undefined {
    for (let dot = this.#firstDot(host); dot !== -1; dot = host.indexOf('.', dot + 1)) {
      const found = this.#byWildcard.get(host.substring(dot))?.find(path, facts);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  *#tablesOf(host: string): Generator<PathTable<T>> {
    const exact = this.#byHost.get(host);
    if (exact !== undefined) yield exact;
    for (let dot = this.#firstDot(host); dot !== -1; dot = host.indexOf('.', dot + 1)) {
      const table = this.#byWildcard.get(host.substring(dot));
      if (table !== undefined) yield table;
    }
    if (this.#anyHost !== undefined) yield this.#anyHost;
  }

  /** Where the longest suffix begins that a wildcard could have: not at 0, and not in the far front of a host of thousands of labels. */
  #firstDot(host: string): number {
    return host.indexOf('.', Math.max(1, host.length - this.#maxWildcardLength));
  }
}

function tableOf<T>(group: readonly RouterEntry<T>[]): PathTable<T> {
  return new PathTable(
    group.map(({ rule, value }) => ({ path: rule.path, candidate: candidateOf(rule, value) })),
  );
}
