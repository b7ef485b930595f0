import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { FileWatch } from '../../src/control/reload/file-watch.ts';
import type { Clock } from '../../src/time.ts';

/** A clock that a test ticks itself. Its wall time is that of the files' times plus `wallOffsetMs`. */
class TickedClock implements Clock {
  readonly intervals: number[] = [];
  readonly #ticks = new Set<() => void>();
  readonly #wallOffsetMs: number;

  constructor(wallOffsetMs = 0) {
    this.#wallOffsetMs = wallOffsetMs;
  }

  now(): number {
    return 0;
  }

  wallNow(): number {
    return Date.now() + this.#wallOffsetMs;
  }

  every(intervalMs: number, tick: () => void): () => void {
    this.intervals.push(intervalMs);
    this.#ticks.add(tick);
    return () => this.#ticks.delete(tick);
  }

  /** How many listen. */
  tick(): number {
    for (const tick of this.#ticks) tick();
    return this.#ticks.size;
  }
}

export interface Watching {
  readonly folder: string;
  readonly clock: TickedClock;
  readonly watch: FileWatch;
  /** `level message`, without the folder. */
  readonly said: readonly string[];
  /** How many changes were told. */
  readonly changes: () => number;
  /** Looks so often, one look after the other. */
  readonly look: (times: number) => Promise<void>;
}

/** A folder of its own and a watch; both end with the test. The clock is a day ahead of the files, unless told otherwise. */
export async function watching(t: TestContext, wallOffsetMs = 86_400_000): Promise<Watching> {
  const folder = await mkdtemp(join(tmpdir(), 'portway-watch-'));
  const clock = new TickedClock(wallOffsetMs);
  const said: string[] = [];
  let changes = 0;
  const watch = new FileWatch({
    clock,
    log: (level, message) => said.push(`${level} ${message.replaceAll(`${folder}/`, '')}`),
    onChange: () => {
      changes += 1;
    },
  });
  t.after(async () => {
    watch.close();
    await rm(folder, { recursive: true, force: true });
  });
  const look = async (times: number): Promise<void> => {
    for (let time = 0; time < times; time++) await watch.poll();
  };
  return { folder, clock, watch, said, changes: () => changes, look };
}
