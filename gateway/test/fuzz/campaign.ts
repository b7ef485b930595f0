import { RequestCheck } from './check-requests.ts';
import { ResponseCheck } from './check-responses.ts';
import { load, type Saved, SEEDS } from './corpus.ts';
import { ExceptionCounts } from './exceptions.ts';
import { bodies, requests, responses } from './grammar.ts';
import { minimise } from './minimise.ts';
import { mutate } from './mutate.ts';
import { Random } from './random.ts';
import type { Failure, Kind } from './reading.ts';

/** A kind of failure, as met first, and how often. */
export interface Finding {
  readonly kind: Kind;
  readonly failure: Failure;
  /** As generated. */
  readonly input: string;
  readonly index: number;
  times: number;
}

const GRAMMARS = { requests, responses, bodies } as const;
/** Bodies are mutated after their head, which is to be accepted. */
const BODY_HEAD_BYTES = bodies(new Random()).indexOf('\r\n\r\n') + 4;

/** Generates inputs from a seed, checks them, and gathers what fails. */
export class Campaign {
  readonly exceptions = new ExceptionCounts();
  readonly findings = new Map<string, Finding>();
  cases = 0;
  readonly #requests = new RequestCheck(this.exceptions);
  readonly #responses = new ResponseCheck(this.exceptions);
  readonly #random = new Random();
  readonly #seed: number;
  readonly #seeds: readonly Saved[] = load(SEEDS);
  readonly #onCase: (input: string) => void;

  /** @param onCase told each input before it is checked */
  constructor(seed: number, onCase: (input: string) => void = () => {}) {
    this.#seed = seed;
    this.#onCase = onCase;
  }

  /** Messages that both readers accepted and read alike. */
  get agreed(): number {
    return this.#requests.agreed + this.#responses.agreed;
  }

  /** Case `index` of `kind`; the same for the same seed. */
  input(kind: Kind, index: number): string {
    const random = this.#random;
    random.reseed(this.#seed, index);
    const from = kind === 'bodies' ? BODY_HEAD_BYTES : 0;
    const text = random.oneIn(12) ? this.#fromSeed(kind) : GRAMMARS[kind](random);
    return random.oneIn(3) ? text : mutate(random, text, from, () => GRAMMARS[kind](random));
  }

  #fromSeed(kind: Kind): string {
    const seeds = this.#seeds.filter((seed) => seed.kind === kind);
    return seeds[this.#random.below(seeds.length)]?.text ?? GRAMMARS[kind](this.#random);
  }

  /** Checks the cases `[from, from + count)` of `kind`. */
  run(kind: Kind, from: number, count: number): void {
    for (let index = from; index < from + count; index++) {
      const input = this.input(kind, index);
      const failure = this.check(kind, input, false);
      this.cases += 1;
      if (failure !== undefined) this.note(kind, failure, input, index);
    }
  }

  /** A codec that throws has failed as well. */
  check(kind: Kind, input: string, thorough: boolean): Failure | undefined {
    this.#onCase(input);
    try {
      return kind === 'responses'
        ? this.#responses.check(input, thorough)
        : this.#requests.check(input, thorough);
    } catch (error) {
      const what = `throws ${error instanceof Error ? error.message : String(error)}`;
      return { what, ours: error, llhttp: undefined };
    }
  }

  /** The shortest input that still fails in the same way. */
  minimised(finding: Finding): string {
    const { kind, input, failure } = finding;
    return minimise(input, (text) => this.check(kind, text, true)?.what === failure.what);
  }

  /** Keeps the first failure of each sort. */
  note(kind: Kind, failure: Failure, input: string, index: number): void {
    const key = `${kind}: ${failure.what}`;
    const known = this.findings.get(key);
    if (known === undefined) this.findings.set(key, { kind, failure, input, index, times: 1 });
    else known.times += 1;
  }
}
