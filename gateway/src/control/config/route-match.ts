import type { RoutePlan } from '../../data/plan.ts';
import type { Draft } from './draft.ts';
import { checked } from './parsed.ts';
import { parseRouteHost, parseRoutePath } from './route-values.ts';
import type { RouteConfig } from './schema-route.ts';

/** The part of a route that says which requests it takes. */
export type RouteMatch = Pick<RoutePlan, 'host' | 'path' | 'methods' | 'headers'>;

/** What a route whose shape was found good matches. */
export function compileMatch(route: Draft<RouteConfig>): RouteMatch {
  return {
    host: route.host === undefined ? undefined : checked(parseRouteHost(route.host)),
    path: checked(parseRoutePath(route.path ?? '/')),
    methods: [...new Set(route.methods ?? [])].filter((method) => method !== undefined),
    headers: Object.entries(route.headers ?? {}).map(([name, value]) => ({
      name: name.toLowerCase(),
      value: value === '*' ? undefined : value,
    })),
  };
}
