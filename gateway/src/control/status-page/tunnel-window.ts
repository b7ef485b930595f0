import type { Traffic, TunnelTraffic } from './status-page-deps.ts';

/** Seconds that the rates stand for, as those of requests do. */
const SHOWN_READINGS = 10;
const MOST_SHOWN = 1_000;

/** Tunnels of one route, or of a listener's own. */
export interface TunnelRow {
  readonly route: string;
  readonly service: string;
  readonly open: number;
  readonly opened: number;
  /** From clients to backends, and back, since the start. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Bytes per second, of the last ten; null before the second second. */
  readonly inRate: number | null;
  readonly outRate: number | null;
}

interface Reading {
  readonly atMs: number;
  readonly byRoute: ReadonlyMap<string, TunnelTraffic>;
}

/** What went through tunnels in the last seconds, from readings of cumulative counters. */
export class TunnelWindow {
  /** Oldest first. */
  #readings: Reading[] = [];
  #latest: Traffic['routes'] = [];

  clear(): void {
    this.#readings = [];
    this.#latest = [];
  }

  read({ routes }: Traffic, atMs: number): void {
    this.#latest = routes.filter(({ tunnels }) => tunnels.opened > 0);
    const byRoute = new Map(this.#latest.map(({ route, tunnels }) => [route, tunnels]));
    this.#readings.push({ atMs, byRoute });
    if (this.#readings.length > SHOWN_READINGS + 1) this.#readings.shift();
  }

  /** Routes that have had tunnels: those with the most open ones first, a thousand at most. */
  rows(): readonly TunnelRow[] {
    return this.#latest
      .map(({ route, service, tunnels }) => ({ route, service, ...tunnels, ...this.#rates(route, tunnels) }))
      .sort((one, other) => other.open - one.open)
      .slice(0, MOST_SHOWN);
  }

  #rates(route: string, now: TunnelTraffic): Pick<TunnelRow, 'inRate' | 'outRate'> {
    const [oldest] = this.#readings;
    const newest = this.#readings.at(-1);
    const forMs = (newest?.atMs ?? 0) - (oldest?.atMs ?? 0);
    if (oldest === undefined || forMs <= 0) return { inRate: null, outRate: null };
    // a route that is new since then began with nothing; one that has less than then began anew
    const then = oldest.byRoute.get(route);
    const before = then === undefined || then.opened > now.opened ? NOTHING : then;
    const perSecond = (bytes: number): number => Math.round((bytes * 1_000) / forMs);
    return {
      inRate: perSecond(now.bytesIn - before.bytesIn),
      outRate: perSecond(now.bytesOut - before.bytesOut),
    };
  }
}

const NOTHING: TunnelTraffic = { open: 0, opened: 0, bytesIn: 0, bytesOut: 0 };
