import type { CheckContext } from './check-context.ts';
import type { Draft } from './draft.ts';
import { show } from './parsed.ts';
import { compileMatch } from './route-match.ts';
import type { RouteConfig } from './schema-route.ts';
import type { SourcePath } from './source-node.ts';
import { closest } from './suggest.ts';
import { unreachableRoutes } from './unreachable-routes.ts';

/** What is wrong between routes, between a route and the services, and between the keys of one route. */
export function checkRoutes(context: CheckContext): void {
  const routes = context.draft.routes ?? [];
  for (const [index, route] of routes.entries()) {
    if (route !== undefined) checkRoute(context, ['routes', index], route);
  }
  checkServicesUsed(context, routes);
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

function checkServicesUsed(context: CheckContext, routes: readonly (Draft<RouteConfig> | undefined)[]): void {
  const services = context.entriesOf(['services']);
  if (services.size === 0) return;
  const used = new Set<string>();
  let isComplete = context.draft.routes !== undefined;
  for (const [index, route] of routes.entries()) {
    const name = route?.service;
    if (name === undefined) isComplete = false;
    else if (services.has(name)) used.add(name);
    else {
      isComplete = false;
      context.error(['routes', index, 'service'], whyUnknown(name, [...services.keys()]));
    }
  }
  // A misspelled reference would make its service look unused.
  if (!isComplete) return;
  for (const [name, { keyAt }] of services) {
    if (!used.has(name)) context.problems.warning(keyAt, `no route uses the service ${name}`);
  }
}

function whyUnknown(name: string, known: readonly string[]): string {
  const guess = closest(name, known);
  if (guess !== undefined) return `there is no service ${show(name)}; did you mean ${guess}?`;
  const some = known.slice(0, 10).join(', ');
  return `there is no service ${show(name)}; there is ${some}${known.length > 10 ? ', …' : ''}`;
}
