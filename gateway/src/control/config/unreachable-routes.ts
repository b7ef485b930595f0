import type { RouteMatch } from './route-match.ts';

export interface Unreachable {
  readonly index: number;
  /** The earlier routes that between them take everything, in order. */
  readonly by: readonly number[];
  /** Whether it repeats an earlier route exactly. */
  readonly isDuplicate: boolean;
}

/**
 * Routes no request can ever reach. A route is tried before another of the same host and path when it has more
 * header conditions, then when it has methods, then when it stands earlier. So what hides a route has just as
 * many header conditions, on the same names, each the same or "any value", and methods exactly when it has.
 */
export function unreachableRoutes(routes: readonly (RouteMatch | undefined)[]): readonly Unreachable[] {
  const owners = new Map<string, number>();
  const loose = looseNames(routes);
  const found: Unreachable[] = [];
  for (const [index, route] of routes.entries()) {
    if (route === undefined) continue;
    const methods = methodsTaken(route);
    const wider = widerConditions(route, loose);
    const by = new Set<number>();
    let isHidden = true;
    for (const method of methods) {
      const owner = firstOwner(owners, wider, method);
      if (owner === undefined) isHidden = false;
      else by.add(owner);
      const own = `${method}\n${wider[0]}`;
      if (!owners.has(own)) owners.set(own, index);
    }
    if (!isHidden) continue;
    const first = [...by].map((other) => routes[other]).find((other) => other !== undefined);
    const isDuplicate = by.size === 1 && first !== undefined && isSame(first, route);
    found.push({ index, by: [...by].sort((a, b) => a - b), isDuplicate });
  }
  return found;
}

/** The router lets GET take HEAD along. */
function methodsTaken({ methods }: RouteMatch): readonly string[] {
  if (methods.length === 0) return ['*'];
  return methods.includes('GET') && !methods.includes('HEAD') ? [...methods, 'HEAD'] : methods;
}

/** The headers that some route takes with any value; the schema allows a route eight, so 2^8 ways at most. */
function looseNames(routes: readonly (RouteMatch | undefined)[]): ReadonlySet<string> {
  const names = new Set<string>();
  for (const route of routes) {
    for (const { name, value } of route?.headers ?? []) if (value === undefined) names.add(name);
  }
  return names;
}

function firstOwner(
  owners: ReadonlyMap<string, number>,
  wider: readonly string[],
  method: string,
): number | undefined {
  let first: number | undefined;
  for (const conditions of wider) {
    const owner = owners.get(`${method}\n${conditions}`);
    if (owner !== undefined && (first === undefined || owner < first)) first = owner;
  }
  return first;
}

/** The route's own conditions first, then every way to let some headers have any value. */
function widerConditions(route: RouteMatch, loose: ReadonlySet<string>): readonly string[] {
  const place = `${route.host ?? '*'}\n${route.path}`;
  const headers = [...route.headers].sort((a, b) => (a.name < b.name ? -1 : 1));
  let ways = [place];
  for (const { name, value } of headers) {
    const exact = ways.map((way) => `${way}\n${name}:${value ?? ''}${value === undefined ? '*' : '='}`);
    const any = value === undefined || !loose.has(name) ? [] : ways.map((way) => `${way}\n${name}:*`);
    ways = [...exact, ...any];
  }
  return ways;
}

function isSame(a: RouteMatch, b: RouteMatch): boolean {
  const conditions = (route: RouteMatch) => widerConditions(route, new Set())[0];
  return conditions(a) === conditions(b) && [...a.methods].sort().join() === [...b.methods].sort().join();
}
