/** The kinds of request that the load is made of. Their names are the `route` tag of k6's metrics. */

export type Service = 'web' | 'db' | 'files' | 'chat';

export interface RouteFacts {
  readonly service: Service;
  /** RFC 9110 §9.2.2: the gateway may send it again, so a failing backend is no excuse. */
  readonly idempotent: boolean;
  /** Share of the ordinary mix, in percent. */
  readonly share: number;
}

export const ROUTES = {
  'web.page': { service: 'web', idempotent: true, share: 18 },
  'web.asset': { service: 'web', idempotent: true, share: 12 },
  'db.list': { service: 'db', idempotent: true, share: 18 },
  'db.read': { service: 'db', idempotent: true, share: 18 },
  'db.update': { service: 'db', idempotent: true, share: 8 },
  'db.create': { service: 'db', idempotent: false, share: 4 },
  // each item that was created is deleted again, or an hour of load would fill the disk
  'db.delete': { service: 'db', idempotent: true, share: 0 },
  'files.range': { service: 'files', idempotent: true, share: 12 },
  'files.upload': { service: 'files', idempotent: true, share: 4 },
  'chat.rooms': { service: 'chat', idempotent: true, share: 6 },
} as const satisfies Record<string, RouteFacts>;

export type RouteName = keyof typeof ROUTES;

export const ROUTE_NAMES = Object.keys(ROUTES) as readonly RouteName[];

/**
 * Draws a route by its share.
 * @param among routes to draw from, not empty
 * @param random from [0, 1)
 */
export function drawRoute(among: readonly RouteName[], random: number): RouteName {
  const total = among.reduce((sum, name) => sum + ROUTES[name].share, 0);
  let left = random * total;
  for (const name of among) {
    left -= ROUTES[name].share;
    if (left < 0) return name;
  }
  throw new Error('there is nothing to draw from');
}
