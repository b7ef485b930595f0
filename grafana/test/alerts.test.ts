import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { LATENCY_BUCKETS_MS } from '../../gateway/src/data/counters.ts';
import { ERROR_BUDGET, SLOW_SECONDS } from '../src/objectives.ts';
import { STATE_CASES } from '../src/rules/alert-cases.ts';
import { ALERT_RULES } from '../src/rules/alert-rules.ts';
import { BURN_RATE_CASES } from '../src/rules/burn-rate-cases.ts';
import { runbookUrl } from '../src/rules/rule-file.ts';
import { promtool } from './support/prometheus.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PROMETHEUS = join(dirname(fileURLToPath(import.meta.url)), '../prometheus');
const names = ALERT_RULES.map(({ alert }) => alert).sort();

test('Prometheus takes the rules', async () => {
  await promtool(
    'check',
    'rules',
    join(PROMETHEUS, 'rules/recording.yml'),
    join(PROMETHEUS, 'rules/alerts.yml'),
  );
});

test('every alert fires when it should and keeps quiet when it should', async () => {
  await promtool(
    'test',
    'rules',
    join(PROMETHEUS, 'tests/states.yml'),
    join(PROMETHEUS, 'tests/burn-rates.yml'),
  );
});

test('every alert has a case in which it fires, and times at which it does not', () => {
  const cases = [...STATE_CASES, ...BURN_RATE_CASES];
  assert.deepEqual([...new Set(cases.map(({ alert }) => alert))].sort(), names);
  const quiet = cases.filter(({ quietAt }) => quietAt.length > 0).map(({ alert }) => alert);
  assert.deepEqual([...new Set(quiet)].sort(), names);
  assert.ok(cases.every(({ expects }) => expects.length > 0));
});

test('every alert says how long it waits, how bad it is, and what was seen', () => {
  assert.equal(new Set(names).size, names.length);
  for (const { alert, holdsFor, severity, summary, description } of ALERT_RULES) {
    assert.match(alert, /^Portway[A-Z]\w+$/);
    assert.match(holdsFor, /^[1-9]\d*[sm]$/, alert);
    assert.ok(['critical', 'warning'].includes(severity), alert);
    assert.ok(summary.length < 80 && !summary.endsWith('.'), alert);
    assert.ok(description.endsWith('.'), alert);
  }
});

test('the runbook has a heading for every alert, in the order of the rules or not, and for nothing else', () => {
  const runbook = readFileSync(join(ROOT, 'gateway/docs/runbook.md'), 'utf8');
  const headings = [...runbook.matchAll(/^## (.+)$/gm)].map(([, heading = '']) => heading);
  assert.deepEqual([...headings].sort(), names);
  for (const section of runbook.split(/^## /m).slice(1)) {
    for (const part of ['**Means.**', '**Look at.**', '**Do.**']) {
      assert.ok(section.includes(part), `${section.split('\n')[0]} lacks ${part}`);
    }
  }
  const anchors = [...runbook.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor]) => anchor);
  const known = headings.map((heading) => heading.toLowerCase());
  assert.deepEqual(
    anchors.filter((anchor) => !known.includes(anchor ?? '')),
    [],
  );
  for (const name of names) assert.equal(runbookUrl(name), `gateway/docs/runbook.md#${name.toLowerCase()}`);
});

test('the objectives can be measured: the latency is the bound of a bucket, the budget a round number', () => {
  assert.ok(LATENCY_BUCKETS_MS.includes(SLOW_SECONDS * 1_000));
  assert.equal(ERROR_BUDGET, 0.001);
});
