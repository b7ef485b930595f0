import type { Random } from '../../time.ts';
import { Timer, type TimerWheel } from '../../time.ts';
import type { Backend } from '../backend.ts';
import { deepEqualPlan } from '../changed-fields.ts';
import type { Route } from '../route.ts';

/** A connection that lasts until somebody ends it. */
export interface OpenTunnel {
  readonly route: Route;
  /** Which it leads to; undefined: none of a service. */
  readonly backend?: Backend | undefined;
  /** Whether it can be ended in good order at any time; the others are left alone until the end is near. */
  readonly isStaged?: boolean;
  /** Its route has been replaced by one that differs in nothing but what may change under way. */
  reroute?(route: Route): void;
  /** Ends it in good order, as its protocol has it, or by force after `graceMs`. */
  leave(why: Leave, graceMs: number): void;
}

type Leave = 'drain' | 'reload';

/** Of the time there is, what may be used for spreading: the rest is for answers. */
const SPREAD_SHARE = 0.8;
/** Clients that come back at this pace are no storm; a handful of them need not hold up a restart for long. */
const SPREAD_MS_EACH = 20;
const LEAST_SPREAD_MS = 1_000;
/** How late those go that cannot be ended in good order. */
const LATE_SHARE = 0.9;
/** For those that a reload has taken the way from: what a drain has by default. */
const RELOAD_WINDOW_MS = 25_000;

/** What is in force since the last reload. */
interface InForce {
  readonly routes: ReadonlyMap<string, Route>;
  readonly isGone: (backend: Backend) => boolean;
}

/**
 * Every open tunnel of a gateway. Those that have to go (a shutdown, a route that is no more) are not all closed at once:
 * their clients come back, and would come all at once too (envoyproxy/envoy#34500; HAProxy's close-spread-time).
 */
export class OpenTunnels {
  readonly #wheel: TimerWheel;
  readonly #random: Random;
  readonly #open = new Set<OpenTunnel>();
  /** Those told to leave, until they have been. */
  readonly #leaving = new Map<OpenTunnel, Timer>();
  /** Routes that are or were the plan's. What is open on others is the affair of who made them. */
  readonly #planned = new WeakSet<Route>();
  #inForce: InForce | undefined;
  /** When all of them have to be gone; undefined while nobody is shutting down. */
  #drainedByMs: number | undefined;

  constructor(wheel: TimerWheel, random: Random) {
    this.#wheel = wheel;
    this.#random = random;
  }

  get size(): number {
    return this.#open.size;
  }

  get isDraining(): boolean {
    return this.#drainedByMs !== undefined;
  }

  add(tunnel: OpenTunnel): void {
    this.#open.add(tunnel);
    // it was on its way when the others were told
    if (this.#drainedByMs !== undefined)
      this.#send([tunnel], 'drain', Math.max(0, this.#drainedByMs - this.#wheel.nowMs));
    else if (this.#inForce !== undefined && this.#planned.has(tunnel.route)) {
      if (!this.#keepsItsWay(tunnel, this.#inForce)) this.#send([tunnel], 'reload', RELOAD_WINDOW_MS);
    }
  }

  delete(tunnel: OpenTunnel): void {
    this.#open.delete(tunnel);
    this.#forget(tunnel);
  }

  /** Ends all of them within `windowMs`. */
  drain(windowMs: number): void {
    this.#drainedByMs = this.#wheel.look() + windowMs;
    for (const tunnel of this.#leaving.keys()) this.#forget(tunnel);
    this.#send([...this.#open], 'drain', windowMs);
  }

  /** Ends those of `which` within `windowMs`. */
  leave(why: Leave, windowMs: number, which: (route: Route) => boolean): void {
    this.#wheel.look();
    const leaving = [...this.#open].filter((tunnel) => which(tunnel.route) && !this.#leaving.has(tunnel));
    this.#send(leaving, why, windowMs);
  }

  /**
   * `routes` are in force, by a reload or for the first time. Tunnels whose route says the same as before, where it leads among it, go on with the
   * new one; the others are ended, as are those to a backend that is gone.
   */
  reroute(routes: readonly Route[], isGone: (backend: Backend) => boolean): void {
    const inForce = { routes: new Map(routes.map((route) => [route.name, route])), isGone };
    this.#inForce = inForce;
    for (const route of routes) this.#planned.add(route);
    const stranded: OpenTunnel[] = [];
    for (const tunnel of this.#open) {
      if (!this.#planned.has(tunnel.route)) continue;
      // what an earlier reload took away may be back before it was told
      if (this.#keepsItsWay(tunnel, inForce)) this.#forget(tunnel);
      else if (!this.#leaving.has(tunnel)) stranded.push(tunnel);
    }
    this.#wheel.look();
    this.#send(stranded, 'reload', RELOAD_WINDOW_MS);
  }

  #keepsItsWay(tunnel: OpenTunnel, { routes, isGone }: InForce): boolean {
    const { route, backend } = tunnel;
    const now = routes.get(route.name);
    if (now === undefined || (now !== route && !isSameWay(route, now))) return false;
    if (backend !== undefined && isGone(backend)) return false;
    if (now !== route) tunnel.reroute?.(now);
    return true;
  }

  #send(tunnels: readonly OpenTunnel[], why: Leave, windowMs: number): void {
    const count = tunnels.filter(({ isStaged }) => isStaged === true).length;
    const spreadMs = Math.min(windowMs * SPREAD_SHARE, count * SPREAD_MS_EACH + LEAST_SPREAD_MS);
    for (const tunnel of tunnels) {
      const lateMs = windowMs * (SPREAD_SHARE + (LATE_SHARE - SPREAD_SHARE) * this.#random());
      const afterMs = tunnel.isStaged === true ? spreadMs * this.#random() : lateMs;
      const timer = new Timer({ onDeadline: () => tunnel.leave(why, windowMs - afterMs) });
      this.#leaving.set(tunnel, timer);
      this.#wheel.arm(timer, afterMs);
    }
  }

  #forget(tunnel: OpenTunnel): void {
    const timer = this.#leaving.get(tunnel);
    if (timer !== undefined) this.#wheel.release(timer);
    this.#leaving.delete(tunnel);
  }
}

/** Whether who came by the one would come by the other, and to the same service. */
function isSameWay(before: Route, now: Route): boolean {
  if (before.service !== now.service) return false;
  const { host, path, methods, headers } = before.plan;
  return (
    host === now.plan.host &&
    path === now.plan.path &&
    deepEqualPlan(methods, now.plan.methods) &&
    deepEqualPlan(headers, now.plan.headers)
  );
}
