import type { Clock, Random } from '../../time.ts';
import type { Log } from '../log.ts';
import type { OtlpPost, PostResult } from './otlp-post.ts';

const BATCH_SPANS = 512;
const FLUSH_MS = 1_000;
export const MAX_WAITING_SPANS = 4_096;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;
/** A batch that was not taken so often is given up. */
const MOST_TRIES = 5;
const CLOSE_MS = 2_000;

export interface SpanExporterDeps {
  readonly post: Pick<OtlpPost, 'post' | 'close'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Where they go, without secrets. */
  readonly place: string;
  /** What stands around the spans of a batch. */
  readonly envelope: { readonly before: string; readonly after: string };
}

/**
 * Sends spans in batches, one at a time: when there are 512, or once a second. A collector that is away or slow is asked
 * less and less often; what does not fit into the queue meanwhile is dropped and counted.
 */
export class SpanExporter {
  readonly #deps: SpanExporterDeps;
  #waiting: string[] = [];
  #sending = false;
  #tries = 0;
  #notBeforeMs = Number.NEGATIVE_INFINITY;
  #away = false;
  #complained = false;
  #closed = false;
  readonly #stopTicks: () => void;
  dropped = 0;

  constructor(deps: SpanExporterDeps) {
    this.#deps = deps;
    this.#stopTicks = deps.clock.every(FLUSH_MS, () => this.#flush());
  }

  /** @param span in OTLP's JSON */
  add(span: string): void {
    if (this.#closed || this.#waiting.length >= MAX_WAITING_SPANS) {
      this.dropped += 1;
      return;
    }
    this.#waiting.push(span);
    if (this.#waiting.length >= BATCH_SPANS) this.#flush();
  }

  /** Sends what is left, as far as that is done in two seconds. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#stopTicks();
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, CLOSE_MS);
    await Promise.race([this.#sendRest(), promise]);
    clearTimeout(timer);
    this.dropped += this.#waiting.length;
    this.#waiting = [];
    this.#deps.post.close();
  }

  #flush(): void {
    if (this.#sending || this.#waiting.length === 0 || this.#deps.clock.now() < this.#notBeforeMs) return;
    void this.#send();
  }

  async #sendRest(): Promise<void> {
    while (this.#waiting.length > 0) {
      // one under way ends, or the time is up
      if (this.#sending) await new Promise((resolve) => setTimeout(resolve, 10));
      else if (!(await this.#send())) return;
    }
  }

  async #send(): Promise<boolean> {
    this.#sending = true;
    const batch = this.#waiting.slice(0, BATCH_SPANS);
    this.#waiting = this.#waiting.slice(BATCH_SPANS);
    const { before, after } = this.#deps.envelope;
    const result = await this.#deps.post.post(Buffer.from(before + batch.join(',') + after));
    this.#sending = false;
    this.#settle(batch, result);
    if (result.kind !== 'later' && this.#waiting.length >= BATCH_SPANS) this.#flush();
    return result.kind !== 'later';
  }

  #settle(batch: readonly string[], result: PostResult): void {
    if (result.kind === 'later') {
      this.#later(batch, result);
      return;
    }
    this.#tries = 0;
    this.#notBeforeMs = Number.NEGATIVE_INFINITY;
    if (result.kind === 'refused') {
      this.dropped += batch.length;
      this.#complain(`refuses them (${result.why})`);
      return;
    }
    this.dropped += result.refused;
    if (result.refused > 0) this.#complain(`refuses some of them (${result.complaint.slice(0, 200)})`);
    else this.#back();
  }

  #later(
    batch: readonly string[],
    { why, afterMs }: { readonly why: string; readonly afterMs: number },
  ): void {
    const { clock, random } = this.#deps;
    this.#tries += 1;
    this.#away = true;
    this.#complain(`cannot be reached (${why})`);
    const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(this.#tries - 1, 10));
    this.#notBeforeMs = clock.now() + Math.max(afterMs, pauseMs * (0.8 + 0.4 * random()));
    if (this.#tries % MOST_TRIES === 0) this.dropped += batch.length;
    else this.#waiting = [...batch, ...this.#waiting];
    const surplus = this.#waiting.length - MAX_WAITING_SPANS;
    if (surplus > 0) {
      this.dropped += surplus;
      this.#waiting.length = MAX_WAITING_SPANS;
    }
  }

  #complain(what: string): void {
    if (this.#complained) return;
    this.#complained = true;
    this.#deps.log('warn', `tracing: ${this.#deps.place} ${what}; requests are not affected`);
  }

  #back(): void {
    if (this.#complained) {
      const after = this.#away ? 'is there again' : 'takes them again';
      this.#deps.log('info', `tracing: ${this.#deps.place} ${after}; spans lost so far: ${this.dropped}`);
    }
    this.#away = false;
    this.#complained = false;
  }
}
