const SLOTS = 10;

/**
 * How often something happened in the last `windowMs`, to a tenth of the window: the slot under way and the nine before
 * it. Times come from one clock that never goes back.
 */
export class RollingCount {
  readonly #slotMs: number;
  readonly #slots: number[] = new Array<number>(SLOTS).fill(0);
  /** Which slot is under way, counted from time 0; it lies at its remainder by ten. */
  #slot = 0;
  #slotEndsMs: number;
  /** Of the slot under way, apart from the rest: counting is one comparison and one increment. */
  #current = 0;
  #earlier = 0;

  /** @param windowMs above 0; rounded up to a multiple of 10 ms */
  constructor(windowMs: number) {
    // whole numbers, so that no slot's end is lost to rounding
    this.#slotMs = Math.max(1, Math.ceil(windowMs / SLOTS));
    this.#slotEndsMs = this.#slotMs;
  }

  add(nowMs: number): void {
    if (nowMs >= this.#slotEndsMs) this.#rotate(nowMs);
    this.#current += 1;
  }

  read(nowMs: number): number {
    if (nowMs >= this.#slotEndsMs) this.#rotate(nowMs);
    return this.#current + this.#earlier;
  }

  clear(): void {
    this.#slots.fill(0);
    this.#current = 0;
    this.#earlier = 0;
  }

  #rotate(nowMs: number): void {
    const slot = Math.floor(nowMs / this.#slotMs);
    this.#slots[this.#slot % SLOTS] = this.#current;
    this.#earlier += this.#current;
    this.#current = 0;
    const last = Math.min(slot, this.#slot + SLOTS);
    for (let passing = this.#slot + 1; passing <= last; passing += 1) {
      this.#earlier -= this.#slots[passing % SLOTS] ?? 0;
      this.#slots[passing % SLOTS] = 0;
    }
    this.#slot = slot;
    this.#slotEndsMs = (slot + 1) * this.#slotMs;
  }
}

/** Requests and failures of the last `windowMs`, to a tenth of the window. */
export class OutcomeWindow {
  readonly #requests: RollingCount;
  readonly #failures: RollingCount;

  /** @param windowMs above 0 */
  constructor(windowMs: number) {
    this.#requests = new RollingCount(windowMs);
    this.#failures = new RollingCount(windowMs);
  }

  succeeded(nowMs: number): void {
    this.#requests.add(nowMs);
  }

  failed(nowMs: number): void {
    this.#requests.add(nowMs);
    this.#failures.add(nowMs);
  }

  /** Successes and failures. */
  requests(nowMs: number): number {
    return this.#requests.read(nowMs);
  }

  failures(nowMs: number): number {
    return this.#failures.read(nowMs);
  }

  clear(): void {
    this.#requests.clear();
    this.#failures.clear();
  }
}
