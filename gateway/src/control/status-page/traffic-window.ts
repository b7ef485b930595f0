import type { Counts, Traffic } from './status-page-deps.ts';
import { added, type Delta, deltaOf, type Point, pointOf, type Rates, ratesOf } from './traffic-rates.ts';

/** Seconds a sparkline shows. */
const KEPT_POINTS = 120;
/** Seconds that the numbers stand for: one alone jumps about. */
const SHOWN_DELTAS = 10;

interface Series {
  /** The last of them, newest last. */
  readonly deltas: Delta[];
  readonly points: Point[];
}

/** What rates are asked for: everything, a route, a service (by its routes), a backend. */
export type TrafficKey =
  | { readonly of: 'all' }
  | { readonly of: 'route'; readonly route: string }
  | { readonly of: 'service'; readonly service: string }
  | { readonly of: 'backend'; readonly service: string; readonly backend: string };

/** Rates of the last seconds, from readings of cumulative counters. */
export class TrafficWindow {
  readonly #boundsMs: readonly number[];
  #before: { readonly atMs: number; readonly counts: ReadonlyMap<string, Counts> } | undefined;
  #series = new Map<string, Series>();
  /** How many points there have been. */
  #sample = 0;

  constructor(boundsMs: readonly number[]) {
    this.#boundsMs = boundsMs;
  }

  get sample(): number {
    return this.#sample;
  }

  /** Forgets everything: what comes next does not follow on what was. */
  clear(): void {
    this.#before = undefined;
    this.#series = new Map();
  }

  /** Takes one reading; the first only says from where to count. */
  read(traffic: Traffic, nowMs: number): void {
    const counts = new Map<string, Counts>();
    for (const one of traffic.routes) counts.set(nameOf({ of: 'route', route: one.route }), one);
    for (const one of traffic.backends) counts.set(nameOf({ of: 'backend', ...one }), one);
    const before = this.#before;
    this.#before = { atMs: nowMs, counts };
    if (before === undefined) return;
    this.#sample += 1;
    const deltas = this.#deltas(traffic, before.counts, nowMs - before.atMs);
    const series = new Map<string, Series>();
    for (const [name, delta] of deltas) series.set(name, this.#append(this.#series.get(name), delta));
    // what is gone from the counters is gone from here
    this.#series = series;
  }

  /** Undefined before the second reading, and for what was in none. */
  rates(key: TrafficKey, withHistory: boolean): Rates | undefined {
    const series = this.#series.get(nameOf(key));
    const point = series?.points.at(-1);
    if (series === undefined || point === undefined) return undefined;
    const rates = ratesOf(series.deltas, point, this.#boundsMs);
    return withHistory ? { ...rates, history: series.points } : rates;
  }

  /** Services and the whole are sums of differences, since a route that goes takes its counts with it. */
  #deltas(traffic: Traffic, before: ReadonlyMap<string, Counts>, forMs: number): Map<string, Delta> {
    const deltas = new Map<string, Delta>();
    const add = (key: TrafficKey, delta: Delta): void => {
      const name = nameOf(key);
      deltas.set(name, added(deltas.get(name), delta));
    };
    for (const one of traffic.routes) {
      const key: TrafficKey = { of: 'route', route: one.route };
      const delta = deltaOf(before.get(nameOf(key)), one, forMs);
      add(key, delta);
      add({ of: 'service', service: one.service }, delta);
      add({ of: 'all' }, delta);
    }
    for (const one of traffic.backends) {
      const key: TrafficKey = { of: 'backend', service: one.service, backend: one.backend };
      add(key, deltaOf(before.get(nameOf(key)), one, forMs));
    }
    return deltas;
  }

  #append(series: Series = { deltas: [], points: [] }, delta: Delta): Series {
    series.deltas.push(delta);
    if (series.deltas.length > SHOWN_DELTAS) series.deltas.shift();
    series.points.push(pointOf(delta, this.#boundsMs));
    if (series.points.length > KEPT_POINTS) series.points.shift();
    return series;
  }
}

/** Names hold no control characters. */
function nameOf(key: TrafficKey): string {
  switch (key.of) {
    case 'all':
      return 'all';
    case 'route':
      return `route\n${key.route}`;
    case 'service':
      return `service\n${key.service}`;
    case 'backend':
      return `backend\n${key.service}\n${key.backend}`;
  }
}
