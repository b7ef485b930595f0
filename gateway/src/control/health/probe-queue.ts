/** A probe that waits for its turn. */
export interface QueuedProbe {
  /** Turns go round the lanes (services), so that one with many hanging backends does not hold up the others. */
  readonly lane: string;
  /** Its turn has come. `release` gives the turn back; calling it again does nothing. */
  start(release: () => void): void;
}

/** Lets at most `max` probes run at once. */
export class ProbeQueue {
  readonly #max: number;
  /** In the order of their next turn; none is empty. */
  readonly #lanes = new Map<string, Set<QueuedProbe>>();
  readonly #urgent = new Set<QueuedProbe>();
  #running = 0;
  #starting = false;

  constructor(max: number) {
    this.#max = max;
  }

  get running(): number {
    return this.#running;
  }

  /** @param urgent before all that are not */
  add(probe: QueuedProbe, urgent: boolean): void {
    this.remove(probe);
    if (urgent) this.#urgent.add(probe);
    else {
      const lane = this.#lanes.get(probe.lane);
      if (lane === undefined) this.#lanes.set(probe.lane, new Set([probe]));
      else lane.add(probe);
    }
    this.#startNext();
  }

  /** Takes it out if it has not started. */
  remove(probe: QueuedProbe): void {
    this.#urgent.delete(probe);
    const lane = this.#lanes.get(probe.lane);
    if (lane?.delete(probe) && lane.size === 0) this.#lanes.delete(probe.lane);
  }

  clear(): void {
    this.#urgent.clear();
    this.#lanes.clear();
  }

  #startNext(): void {
    // a probe that ends within its start comes back here: the loop below goes on instead
    if (this.#starting) return;
    this.#starting = true;
    try {
      while (this.#running < this.#max) {
        const probe = this.#take();
        if (probe === undefined) break;
        this.#run(probe);
      }
    } finally {
      this.#starting = false;
    }
  }

  #run(probe: QueuedProbe): void {
    this.#running += 1;
    let released = false;
    probe.start(() => {
      if (released) return;
      released = true;
      this.#running -= 1;
      this.#startNext();
    });
  }

  #take(): QueuedProbe | undefined {
    const [urgent] = this.#urgent;
    if (urgent !== undefined) {
      this.#urgent.delete(urgent);
      return urgent;
    }
    const [first] = this.#lanes;
    if (first === undefined) return undefined;
    const [name, lane] = first;
    const [probe] = lane;
    this.#lanes.delete(name);
    if (probe === undefined) return undefined;
    lane.delete(probe);
    // behind the other lanes
    if (lane.size > 0) this.#lanes.set(name, lane);
    return probe;
  }
}
