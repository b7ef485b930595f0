import { lookup as dnsLookup } from 'node:dns';
import { isIP } from 'node:net';
import type { FailureCode } from '../errors.ts';
import type { Clock, Random } from '../time.ts';
import { rotations } from './address-rotations.ts';

export interface ResolvedAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

/** Asks the system for all addresses of a host, in the order of preference. May call back at once. */
export type Lookup = (
  host: string,
  done: (error: Error | null, addresses: readonly ResolvedAddress[]) => void,
) => void;

/** Gets the addresses, or why there are none; the first one is to be tried first, the others after it. */
export type ResolveDone = (error: Error | undefined, addresses: readonly ResolvedAddress[]) => void;

/** Why a host that may have addresses has none for who asked. */
export class NoAddress extends Error {
  readonly code: FailureCode;

  constructor(code: FailureCode) {
    super(code);
    this.code = code;
  }
}

export interface ResolverDeps {
  readonly clock: Pick<Clock, 'now'>;
  readonly random: Random;
  readonly lookup?: Lookup;
  /** Age at which addresses are asked for again in the background. */
  readonly ttlMs?: number;
  /** Age up to which addresses are used while the look-up fails. */
  readonly maxStaleMs?: number;
  /** The set of a host's addresses has changed: connections to those that went away should be retired. */
  readonly onChange?: (host: string, addresses: readonly ResolvedAddress[]) => void;
}

/** Look-ups of one host start at least this far apart, however often it fails or is invalidated. */
const MIN_INTERVAL_MS = 1000;
/** How long an address that did not answer stands behind the others. */
const DEMOTION_MS = 30_000;
const NONE: readonly ResolvedAddress[] = [];

interface Entry {
  readonly host: string;
  addresses: readonly ResolvedAddress[];
  /** The same addresses, each time from another start. */
  rotated: readonly (readonly ResolvedAddress[])[];
  turn: number;
  /** When the look-up last succeeded. */
  freshAtMs: number;
  /** When it was last started, with whatever result. */
  askedAtMs: number;
  error: Error | undefined;
  invalid: boolean;
  asking: boolean;
  waiting: ResolveDone[];
  /** Address → until when it stands last. */
  readonly demoted: Map<string, number>;
}

/**
 * The addresses of the configured hosts, cached: a connect waits for a look-up only at the first use, after
 * `invalidate`, and when nothing newer than `maxStaleMs` is known. There are no timers: use refreshes.
 */
export class Resolver {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #random: Random;
  readonly #lookup: Lookup;
  readonly #ttlMs: number;
  readonly #maxStaleMs: number;
  readonly #onChange: ResolverDeps['onChange'];
  readonly #entries = new Map<string, Entry>();
  readonly #literals = new Map<string, readonly ResolvedAddress[]>();

  constructor(deps: ResolverDeps) {
    this.#clock = deps.clock;
    this.#random = deps.random;
    this.#lookup = deps.lookup ?? systemLookup;
    this.#ttlMs = deps.ttlMs ?? 5000;
    this.#maxStaleMs = deps.maxStaleMs ?? 60_000;
    this.#onChange = deps.onChange;
  }

  /** What is known without waiting, from another start each time; undefined when that is nothing or too old. */
  addresses(host: string): readonly ResolvedAddress[] | undefined {
    const literal = this.#literal(host);
    if (literal !== undefined) return literal;
    const entry = this.#entry(host);
    this.#refreshIfDue(entry);
    return this.#usable(entry) ? next(entry) : undefined;
  }

  /**
   * Calls back at once when addresses are known and were not invalidated; otherwise when the look-up ends,
   * which all who ask meanwhile share. An error comes only when no addresses newer than `maxStaleMs` are known.
   */
  resolve(host: string, done: ResolveDone): void {
    const literal = this.#literal(host);
    if (literal !== undefined) {
      done(undefined, literal);
      return;
    }
    const entry = this.#entry(host);
    this.#refreshIfDue(entry);
    const mustWait = entry.asking && (entry.invalid || !this.#usable(entry));
    if (mustWait) entry.waiting.push(done);
    else this.#answer(entry, done);
  }

  /**
   * To be called after a refused, unreachable or timed-out connect: the next `resolve` asks again (at most once
   * a second), and `address` stands behind the others for half a minute.
   */
  invalidate(host: string, address?: string): void {
    const entry = this.#entries.get(host);
    if (entry === undefined) return;
    entry.invalid = true;
    if (address === undefined || !entry.addresses.some((known) => known.address === address)) return;
    entry.demoted.set(address, this.#clock.now() + DEMOTION_MS);
    this.#arrange(entry);
  }

  #literal(host: string): readonly ResolvedAddress[] | undefined {
    const known = this.#literals.get(host);
    if (known !== undefined || this.#entries.has(host)) return known;
    const family = isIP(host);
    if (family !== 4 && family !== 6) return undefined;
    const literal: readonly ResolvedAddress[] = [{ address: host, family }];
    this.#literals.set(host, literal);
    return literal;
  }

  #entry(host: string): Entry {
    const known = this.#entries.get(host);
    if (known !== undefined) return known;
    const entry: Entry = {
      host,
      addresses: NONE,
      rotated: [],
      turn: Math.floor(this.#random() * 2 ** 20),
      freshAtMs: Number.NEGATIVE_INFINITY,
      askedAtMs: Number.NEGATIVE_INFINITY,
      error: undefined,
      invalid: false,
      asking: false,
      waiting: [],
      demoted: new Map(),
    };
    this.#entries.set(host, entry);
    return entry;
  }

  #usable(entry: Entry): boolean {
    return entry.addresses.length > 0 && this.#clock.now() - entry.freshAtMs <= this.#maxStaleMs;
  }

  #answer(entry: Entry, done: ResolveDone): void {
    if (this.#usable(entry)) done(undefined, next(entry));
    else done(entry.error ?? new Error(`no address of ${entry.host} is known`), NONE);
  }

  #refreshIfDue(entry: Entry): void {
    if (entry.asking) return;
    const nowMs = this.#clock.now();
    if (nowMs - entry.askedAtMs < MIN_INTERVAL_MS) return;
    if (!entry.invalid && nowMs - entry.freshAtMs <= this.#ttlMs) return;
    entry.asking = true;
    entry.askedAtMs = nowMs;
    this.#lookup(entry.host, (error, addresses) => this.#finish(entry, error, addresses));
  }

  #finish(entry: Entry, error: Error | null, addresses: readonly ResolvedAddress[]): void {
    if (!entry.asking) return;
    entry.asking = false;
    entry.invalid = false;
    if (error !== null) entry.error = error;
    else if (addresses.length === 0) entry.error = new Error(`${entry.host} has no address`);
    else this.#accept(entry, addresses);
    const waiting = entry.waiting;
    entry.waiting = [];
    for (const done of waiting) this.#answer(entry, done);
  }

  #accept(entry: Entry, addresses: readonly ResolvedAddress[]): void {
    const before = entry.addresses;
    entry.addresses = addresses;
    entry.freshAtMs = this.#clock.now();
    entry.error = undefined;
    this.#arrange(entry);
    if (before.length > 0 && !sameSet(before, addresses)) this.#onChange?.(entry.host, addresses);
  }

  #arrange(entry: Entry): void {
    const nowMs = this.#clock.now();
    for (const [address, untilMs] of entry.demoted) if (untilMs <= nowMs) entry.demoted.delete(address);
    entry.rotated = rotations(entry.addresses, entry.demoted);
  }
}

function next(entry: Entry): readonly ResolvedAddress[] {
  entry.turn = (entry.turn + 1) % entry.rotated.length;
  return entry.rotated[entry.turn] ?? entry.addresses;
}

function sameSet(some: readonly ResolvedAddress[], others: readonly ResolvedAddress[]): boolean {
  const known = new Set(some.map(({ address }) => address));
  const found = new Set(others.map(({ address }) => address));
  return known.size === found.size && known.isSubsetOf(found);
}

export const systemLookup: Lookup = (host, done) => {
  dnsLookup(host, { all: true }, (error, addresses) => {
    const found: readonly { readonly address: string; readonly family: number }[] =
      error === null ? addresses : NONE;
    done(
      error,
      found.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 })),
    );
  });
};
