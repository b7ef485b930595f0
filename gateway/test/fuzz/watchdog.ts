import { Worker } from 'node:worker_threads';

export interface WatchedInput {
  readonly state: SharedArrayBuffer;
  readonly bytes: SharedArrayBuffer;
  readonly limitMs: number;
  readonly processId: number;
}

const MAX_BYTES = 64 * 1024;

/** Ends the process, with the input at hand printed, when a case takes longer than `limitMs`. */
export class Watchdog {
  readonly #counter: Int32Array;
  readonly #bytes: Buffer;
  readonly #worker: Worker;

  constructor(limitMs: number) {
    const state = new SharedArrayBuffer(8);
    const bytes = new SharedArrayBuffer(MAX_BYTES);
    this.#counter = new Int32Array(state);
    this.#bytes = Buffer.from(bytes);
    const workerData: WatchedInput = { state, bytes, limitMs, processId: process.pid };
    this.#worker = new Worker(new URL('./watchdog-worker.ts', import.meta.url), { workerData });
    this.#worker.unref();
  }

  /** A case begins. */
  watch(text: string): void {
    Atomics.store(this.#counter, 1, this.#bytes.write(text, 0, 'latin1'));
    Atomics.add(this.#counter, 0, 1);
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
  }
}
