import type { CheckContext } from './check-context.ts';
import type { Draft } from './draft.ts';
import { compileMatch } from './route-match.ts';
import type { RouteConfig } from './schema-route.ts';
import type { SourcePath } from './source-node.ts';
import { unreachableRoutes } from './unreachable-routes.ts';

/** What is wrong between routes, between a route and the services, and between the keys of one route. */
export function checkRoutes(context: CheckContext): void {
  const routes = context.draft.routes ?? [];
  for (const [index, route] of routes.entries()) {
    if (route !== undefined) checkRoute(context, ['routes', index], route);
  }
  const matches = routes.map((route, index) =>
    route === undefined || context.isBroken(['routes', index]) ? undefined : compileMatch(route),
  );
  for (const { index, by, isDuplicate } of unreachableRoutes(matches)) {
    const lines = by.map((other) => context.lineOf(['routes', other]));
    const where = lines.length === 1 ? `line ${lines[0]}` : `lines ${lines.join(', ')} together`;
    const why = isDuplicate
      ? `this route is the same as the one on ${where}`
      : `this route can never be reached: the ${lines.length === 1 ? 'one' : 'ones'} on ${where} take all its requests`;
    context.error(['routes', index], lines.length === 1 ? why.replace('take all', 'takes all') : why);
  }
}

function checkRoute(context: CheckContext, path: SourcePath, route: Draft<RouteConfig>): void {
  if (route.stripPrefix === true && context.entriesOf(path).has('rewrite')) {
    context.errorAtKey(
      [...path, 'rewrite'],
      'rewrite: stripPrefix is the same as rewrite: /; keep one of the two',
    );
  }
  checkTwice(context, [...path, 'headers'], Object.keys(route.headers ?? {}));
  for (const edits of ['requestHeaders', 'responseHeaders'] as const) {
    const set = Object.keys(route[edits]?.set ?? {});
    checkTwice(context, [...path, edits, 'set'], set);
    const names = new Set(set.map((name) => name.toLowerCase()));
    for (const [index, name] of (route[edits]?.remove ?? []).entries()) {
      if (name === undefined || !names.has(name.toLowerCase())) continue;
      context.error(
        [...path, edits, 'remove', index],
        `${name} is set above; setting replaces what was there`,
      );
    }
  }
}

/** YAML tells `X-A` from `x-a`; HTTP does not. */
function checkTwice(context: CheckContext, path: SourcePath, names: readonly string[]): void {
  const seen = new Map<string, string>();
  for (const name of names) {
    const other = seen.get(name.toLowerCase());
    if (other === undefined) seen.set(name.toLowerCase(), name);
    else context.errorAtKey([...path, name], `${name} is the same header as ${other}`);
  }
}
