import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** The ids of all POSTs that backends carried out, in a file that goes with the test. */
export class Ledger {
  readonly file: string;

  constructor(t: TestContext) {
    const folder = mkdtempSync(join(tmpdir(), 'portway-ledger-'));
    t.after(() => rmSync(folder, { recursive: true }));
    this.file = join(folder, 'posts');
    writeFileSync(this.file, '');
  }

  /** How often each was carried out. */
  read(): ReadonlyMap<string, number> {
    const times = new Map<string, number>();
    for (const id of readFileSync(this.file, 'utf8').split('\n').slice(0, -1))
      times.set(id, (times.get(id) ?? 0) + 1);
    return times;
  }
}
