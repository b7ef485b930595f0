import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CASES } from '../cases.ts';
import type { Sample } from '../measure.ts';
import { caseTable, readmeTable } from '../report.ts';
import { summarizeCase } from '../summary.ts';

const [small] = CASES;
const routes = CASES.filter((each) => each.name.startsWith('routes'));

function sample(peer: string, round: number, cpuUsPerRequest: number, more: Partial<Sample> = {}): Sample {
  return {
    peer,
    load: 'small',
    round,
    cpuUsPerRequest,
    cpuUsPerMib: undefined,
    userShare: 0.4,
    busyShare: 0.9,
    waitedShare: 0,
    peakRssBytes: 1024 * 1024,
    requests: 100,
    seconds: 1,
    requestsPerSecond: 100,
    p50Ms: 1,
    p99Ms: 2,
    socketErrors: 0,
    badStatuses: 0,
    work: { backends: 3, headers: [] },
    ...more,
  };
}

function summaryOf(samples: readonly Sample[]) {
  if (small === undefined) throw new Error('no cases');
  return summarizeCase(small, samples, ['portway', 'nginx', 'haproxy']);
}

describe('the table of a case', () => {
  it('sets each peer against Portway of the same round', () => {
    const rounds = [
      sample('portway', 0, 10),
      sample('nginx', 0, 12),
      sample('portway', 1, 100),
      sample('nginx', 1, 150),
    ];
    const nginx = summaryOf(rounds).peers.find((peer) => peer.peer === 'nginx');
    assert.deepEqual(nginx?.ratio, { median: 1.35, least: 1.2, greatest: 1.5 });
    assert.match(caseTable(summaryOf(rounds)), /nginx .*1\.35 \(1\.20–1\.50\)/);
  });

  it('flags a peer that failed requests, and no other', () => {
    const table = caseTable(
      summaryOf([sample('portway', 0, 10), sample('nginx', 0, 12, { badStatuses: 3 })]),
    );
    assert.match(table, /nginx .*!! 3 non-2xx/);
    assert.doesNotMatch(table, /portway .*!!/);
  });

  it('tells how the cost grows with the number of routes', () => {
    const [few, many] = routes;
    if (few === undefined || many === undefined) throw new Error('no route cases');
    const samples = [sample('nginx', 0, 10, { load: few.name }), sample('nginx', 0, 11, { load: many.name })];
    assert.match(caseTable(summarizeCase(many, samples, ['nginx'])), /nginx: 1\.10 × its cost in routes10/);
  });
});

describe('the table of the README', () => {
  it('has a row for each peer with its version and marks failures', () => {
    const cases = [summaryOf([sample('portway', 0, 10), sample('nginx', 0, 12, { socketErrors: 1 })])];
    const machine = { cpu: 'Some CPU', cores: 2, memoryGib: 4, kernel: '6.1', node: '26.0.0' };
    const versions = { portway: 'abc', nginx: '1.22.1' };
    const table = readmeTable({
      date: '2026-01-02T03:04:05Z',
      machine,
      rounds: 1,
      seconds: 5,
      versions,
      skipped: [],
      cases,
    });
    assert.match(table, /^\| portway abc \| 10\.0 \(1\.00×\) \|$/m);
    assert.match(table, /^\| nginx 1\.22\.1 \| 12\.0 \(1\.20×\) ⚠ \|$/m);
    assert.match(table, /2026-01-02, Some CPU, 2 cores/);
  });
});
