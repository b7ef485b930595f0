import type { FastifyInstance } from 'fastify';

/** The methods of a path that has routes; empty for any other. */
export type AllowedMethods = (path: string) => readonly string[];

/** Remembers the routes added after it, for 405: Fastify answers 404 to a method that a path does not take. */
export function rememberMethods(app: FastifyInstance): AllowedMethods {
  const routes = new Map<string, { readonly pattern: RegExp; readonly methods: Set<string> }>();
  app.addHook('onRoute', ({ url, method }) => {
    // our paths hold letters, digits and dots beside parameters
    const source = url.replaceAll('.', '\\.').replace(/:[a-z]+/g, '[^/]+');
    const route = routes.get(url) ?? { pattern: new RegExp(`^${source}$`), methods: new Set() };
    for (const name of [method].flat()) route.methods.add(name);
    routes.set(url, route);
  });
  // an encoded slash in a parameter is not a slash yet
  return (path) =>
    [...routes.values()].flatMap(({ pattern, methods }) => (pattern.test(path) ? [...methods].sort() : []));
}
