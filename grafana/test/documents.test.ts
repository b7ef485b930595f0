import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { METRICS } from '../../gateway/src/control/metrics/definitions.ts';
import { FAILURES } from '../../gateway/src/errors.ts';
import { DASHBOARDS } from '../src/dashboards/all.ts';
import type { Series } from '../src/promql.ts';
import { ALERT_RULES } from '../src/rules/alert-rules.ts';
import { RECORDING_RULES } from '../src/rules/recording-rules.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** Written by people, for people; not what the load tests left. */
function documents(): string[] {
  const exclude = (path: string): boolean => /(^|\/)(node_modules|out|results|\.\w+)(\/|$)/.test(path);
  return globSync('**/*.md', { cwd: ROOT, exclude });
}

const NAMES: ReadonlySet<string> = new Set([
  ...Object.values<Series>(METRICS).flatMap(({ name, type }) =>
    type === 'histogram' ? [name, `${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
  ),
  ...RECORDING_RULES.map(({ record }) => record),
]);

test('every metric and alert that a document names is one', () => {
  const alerts = ALERT_RULES.map(({ alert }) => alert);
  const found = documents().flatMap((path) => {
    const text = read(path);
    const metrics = [...text.matchAll(/(?:[a-z]+:)?\bportway_[a-z_]+[a-z](?::\w+)?/g)].map(([name]) => name);
    const named = [...text.matchAll(/\bPortway[A-Z]\w+/g)].map(([name]) => name);
    return [
      ...metrics.map((name) => ({ path, name, known: NAMES.has(name) })),
      ...named.map((name) => ({ path, name, known: alerts.includes(name) })),
    ];
  });
  assert.ok(found.length > 50);
  assert.deepEqual(
    found.filter(({ known }) => !known),
    [],
  );
});

test('every panel that the runbook sends people to is on that dashboard', () => {
  const runbook = read('gateway/docs/runbook.md');
  const titles = new Map(
    DASHBOARDS.map(({ title, sections }) => [
      title.replace('Portway / ', ''),
      sections.flatMap(({ panels }) => panels.map((panel) => panel.title)),
    ]),
  );
  // `*Service*, "Errors by backend"`: a dashboard, and panels of it until the next
  const parts = runbook.split(/\*(Overview|Service|Connections|Load test)\*/);
  let seen = 0;
  for (let index = 1; index < parts.length; index += 2) {
    const known = titles.get(parts[index] ?? '') ?? [];
    const [sentence = ''] = (parts[index + 1] ?? '').split(/\n/);
    for (const [, title = ''] of sentence.matchAll(/"([^"]+)"/g)) {
      seen += 1;
      assert.ok(
        known.some((each) => each === title || each.startsWith(`${title} (`)),
        `${parts[index]} has no panel "${title}"`,
      );
    }
  }
  assert.ok(seen > 15);
});

test('every failure code that the runbook names is one', () => {
  const codes = [...read('gateway/docs/runbook.md').matchAll(/`([a-z]+(?:_[a-z]+)+)`/g)].map(
    ([, code = '']) => code,
  );
  assert.ok(codes.length > 5);
  assert.deepEqual(
    codes.filter((code) => !Object.hasOwn(FAILURES, code)),
    [],
  );
});
