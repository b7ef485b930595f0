import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { summaryOf } from '../report/handle-summary.ts';
import type { K6Data, K6Metric } from '../report/k6-data.ts';
import { toMarkdown } from '../report/markdown.ts';
import { readReport } from '../report/report.ts';

/** What k6 1.8 handed over after a short chaos run (kill, error500). */
const recorded = JSON.parse(
  readFileSync(join(import.meta.dirname, 'fixtures', 'chaos-summary.json'), 'utf8'),
) as K6Data;

const changed = (metrics: Readonly<Record<string, Partial<K6Metric>>>): K6Data => ({
  ...recorded,
  metrics: {
    ...recorded.metrics,
    ...Object.fromEntries(
      Object.entries(metrics).map(([name, change]) => [
        name,
        { ...(recorded.metrics[name] ?? { type: 'rate' as const, values: {} }), ...change },
      ]),
    ),
  },
});

test('a report counts the load alone, not what the setup and the director asked', () => {
  const report = readReport('chaos', recorded);
  const { fails = 0 } = recorded.metrics['http_req_failed{idempotent:yes}']?.values ?? {};
  const { fails: all = 0 } = recorded.metrics['http_req_failed']?.values ?? {};
  assert.ok(fails > 0 && fails < all);
  assert.equal(report.requests, fails);
  assert.equal(report.failed, 0);
  assert.ok(report.passed);
});

test('requests that may not be sent twice are counted too', () => {
  const { requests, failed } = readReport('load', recorded);
  const posts = { 'http_req_failed{idempotent:no}': { values: { passes: 2, fails: 5 } } };
  const report = readReport('load', changed(posts));
  assert.deepEqual([report.requests, report.failed], [requests + 7, failed + 2]);
});

test('every kind of request has its row, and one that was never sent has none', () => {
  const { routes } = readReport('chaos', recorded);
  const names = routes.map(({ name }) => name);
  assert.ok(names.includes('db.list') && names.includes('files.range'));
  assert.ok(!names.includes('db.create'), 'chaos sends no POST');
  for (const { latency } of routes) {
    assert.ok(latency.count > 0 && latency.p50 > 0);
    assert.ok(latency.p50 <= latency.p95 && latency.p95 <= latency.p99 && latency.p99 <= latency.max);
  }
});

test('the timeline tells each fault at each service, in order', () => {
  const { timeline, faults } = readReport('chaos', recorded);
  assert.deepEqual(
    timeline.map(({ fault }) => fault),
    ['kill', 'kill', 'kill', 'error500', 'error500', 'error500'],
  );
  for (const { startS, endS } of timeline) assert.ok(endS !== undefined && endS > startS + 1.9);
  assert.deepEqual(faults.map(({ name }) => name).sort(), ['error500', 'kill']);
});

test('thresholds that are only there to have their series in the summary are not told', () => {
  const { thresholds } = readReport('chaos', recorded);
  const rules = new Set(thresholds.map(({ rule }) => rule));
  assert.deepEqual([...rules].sort(), ['count==0', 'rate==0', 'rate==1']);
});

test('a threshold that did not hold comes first and makes the report a failed one', () => {
  const name = 'http_req_failed{idempotent:yes}';
  const report = readReport(
    'chaos',
    changed({
      [name]: {
        values: { rate: 0.125, passes: 25, fails: 175 },
        thresholds: { 'rate==0': { ok: false } },
      },
    }),
  );
  assert.ok(!report.passed);
  assert.equal(report.failed, 25);
  const markdown = toMarkdown(report);
  assert.match(markdown, /^# chaos: FAILED\n/);
  const rows = markdown.slice(markdown.indexOf('## Thresholds')).split('\n').slice(4);
  assert.match(
    rows[0] ?? '',
    /^\| \*\*NO\*\* \| `http_req_failed\{idempotent:yes\}` +\| `rate==0` +\| 0\.125 +\|$/,
  );
});

test('the Markdown has every part, and its tables have as many cells in each row', () => {
  const markdown = toMarkdown(readReport('chaos', recorded));
  for (const title of ['Thresholds', 'By route', 'What users saw during each fault', 'Faults, in', 'Checks'])
    assert.ok(markdown.includes(`\n## ${title}`), `${title} is missing`);
  for (const block of markdown.split('\n\n').filter((text) => text.startsWith('|'))) {
    const cells = new Set(
      block
        .trim()
        .split('\n')
        .map((line) => line.split('|').length),
    );
    assert.equal(cells.size, 1, block);
  }
  assert.doesNotMatch(markdown, /undefined|NaN/);
});

test('the summary goes to stdout, and into OUT_DIR when there is one', () => {
  assert.deepEqual(Object.keys(summaryOf('chaos', {})(recorded)), ['stdout']);
  const written = summaryOf('chaos', { OUT_DIR: '/out' })(recorded);
  assert.deepEqual(Object.keys(written), ['stdout', '/out/chaos.md', '/out/chaos.json']);
  assert.deepEqual(
    JSON.parse(written['/out/chaos.json'] ?? ''),
    JSON.parse(JSON.stringify(readReport('chaos', recorded))),
  );
});
