import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { parseH2load } from '../h2load.ts';

const GOOD = `starting benchmark...
Application protocol: h2
finished in 5.00s, 20000.00 req/s, 13.33MB/s
requests: 100400 total, 100400 started, 100000 done, 100000 succeeded, 3 failed, 2 errored, 1 timeout
status codes: 99990 2xx, 0 3xx, 1 4xx, 9 5xx
traffic: 66.66MB (69895680) total, 976.56KB (1000000) headers (space savings 95.35%), 59.13MB (62000000) data
`;

describe('the output of h2load', () => {
  const folder = mkdtempSync(join(tmpdir(), 'portway-h2load-'));
  after(() => rmSync(folder, { recursive: true }));
  const log = join(folder, 'h2load.log');
  const line = (_: unknown, index: number): string => `1700000000000000\t200\t${(100 - index) * 1000}`;
  writeFileSync(log, `${Array.from({ length: 100 }, line).join('\n')}\n`);

  it('gives requests and rate, and its log the latencies', () => {
    assert.deepEqual(parseH2load(GOOD, log), {
      requests: 100_000,
      seconds: 5,
      requestsPerSecond: 20_000,
      p50Ms: 51,
      p99Ms: 100,
      socketErrors: 3,
      badStatuses: 10,
    });
  });

  it('is refused when it is no result, or of another protocol', () => {
    assert.throws(() => parseH2load('could not connect', log), /printed no result/);
    assert.throws(() => parseH2load(GOOD.replace(': h2', ': http/1.1'), log), /did not speak h2/);
  });
});
