import { Timer, type TimerWheel } from '../time.ts';
import type { Priority } from './plan.ts';

/** What waits for admission: an exchange. Its methods may call the limit it waits for. */
export interface Entrant {
  readonly priority: Priority;
  /** Its turn has come: it counts as under way from here. */
  admitted(): void;
  /** It will not be: too long, or a more important one took its place. */
  turnedAway(why: 'queue_timeout' | 'shed'): void;
}

/** One who waits, between the neighbours of the same priority. */
class Place {
  readonly entrant: Entrant;
  readonly lane: Lane;
  readonly timer: Timer;
  readonly #line: WaitingLine;
  ahead: Place | undefined = undefined;
  behind: Place | undefined = undefined;

  constructor(entrant: Entrant, lane: Lane, line: WaitingLine) {
    this.entrant = entrant;
    this.lane = lane;
    this.#line = line;
    this.timer = new Timer(this);
  }

  onDeadline(): void {
    this.#line.remove(this.entrant);
    this.entrant.turnedAway('queue_timeout');
  }
}

/** Those of one priority, first come first. */
interface Lane {
  first: Place | undefined;
  last: Place | undefined;
}

/**
 * Who waits for admission: high before normal, then first come, each with a deadline. Every operation takes the same time
 * however many wait. `low` never waits.
 */
export class WaitingLine {
  readonly #wheel: TimerWheel;
  readonly #high: Lane = { first: undefined, last: undefined };
  readonly #normal: Lane = { first: undefined, last: undefined };
  readonly #places = new Map<Entrant, Place>();

  constructor(wheel: TimerWheel) {
    this.#wheel = wheel;
  }

  get size(): number {
    return this.#places.size;
  }

  /** Whether somebody of this priority or a higher one waits. */
  isAhead(priority: Priority): boolean {
    return this.#high.first !== undefined || (priority !== 'high' && this.#normal.first !== undefined);
  }

  /** @param timeoutMs after which it is turned away with `queue_timeout` */
  add(entrant: Entrant, timeoutMs: number): void {
    const lane = entrant.priority === 'high' ? this.#high : this.#normal;
    const place = new Place(entrant, lane, this);
    place.ahead = lane.last;
    if (lane.last === undefined) lane.first = place;
    else lane.last.behind = place;
    lane.last = place;
    this.#places.set(entrant, place);
    this.#wheel.arm(place.timer, timeoutMs);
  }

  /** False when it does not wait here. */
  remove(entrant: Entrant): boolean {
    const place = this.#places.get(entrant);
    if (place === undefined) return false;
    this.#places.delete(entrant);
    this.#wheel.release(place.timer);
    const { lane, ahead, behind } = place;
    if (ahead === undefined) lane.first = behind;
    else ahead.behind = behind;
    if (behind === undefined) lane.last = ahead;
    else behind.ahead = ahead;
    return true;
  }

  /** Takes out whose turn it is. */
  takeFirst(): Entrant | undefined {
    return this.#take(this.#high.first ?? this.#normal.first);
  }

  /** Takes out the one of normal priority who came last. */
  takeNewestNormal(): Entrant | undefined {
    return this.#take(this.#normal.last);
  }

  #take(place: Place | undefined): Entrant | undefined {
    if (place === undefined) return undefined;
    this.remove(place.entrant);
    return place.entrant;
  }
}
