import { Calls, createdId, deletion, type Seed } from './calls.ts';
import { readTarget } from './environment.ts';
import { drawRoute, ROUTE_NAMES, ROUTES, type RouteName } from './routes.ts';
import { Sender } from './send.ts';

const DRAWN = ROUTE_NAMES.filter((name) => ROUTES[name].share > 0) as readonly Exclude<
  RouteName,
  'db.delete'
>[];

/** Those that a failing backend must not be seen in. */
export const IDEMPOTENT = DRAWN.filter((name) => ROUTES[name].idempotent);

/** Makes the requests of one VU: one drawn request an iteration. */
export class Mix {
  readonly #among: readonly RouteName[];
  readonly #sender: Sender;
  #calls: Calls | undefined;

  /** @param among routes to draw from; without, the whole mix */
  constructor(among: readonly RouteName[] = DRAWN) {
    this.#among = among;
    this.#sender = new Sender(readTarget(__ENV).baseUrl);
  }

  /** @param tags added to the request's own, e.g. the fault that is on */
  next(seed: Seed, tags: Readonly<Record<string, string>> = {}): void {
    this.#calls ??= new Calls(seed, Math.random);
    const route = drawRoute(this.#among, Math.random());
    if (route === 'db.delete') return;
    const response = this.#sender.send(this.#calls.of(route), tags);
    const id = route === 'db.create' ? createdId(response?.body ?? '') : undefined;
    if (id !== undefined) this.#sender.send(deletion(id), tags);
  }
}
