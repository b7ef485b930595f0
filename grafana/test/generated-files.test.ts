import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { METRICS } from '../../gateway/src/control/metrics/definitions.ts';
import { generatedFiles } from '../src/generated-files.ts';
import { JOB, select } from '../src/promql.ts';
import { yamlText } from '../src/yaml-text.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

test('what is committed is what the generator writes', () => {
  const stale = generatedFiles().filter(({ path, text }) => read(path) !== text);
  assert.deepEqual(
    stale.map(({ path }) => path),
    [],
    'run: node grafana/src/generate.ts',
  );
});

test('no dashboard, rule or rule test lies there that nothing generates', () => {
  const paths = new Set(generatedFiles().map(({ path }) => path));
  const folders = new Set([...paths].filter((path) => path.startsWith('grafana/')).map(dirname));
  const lying = [...folders].flatMap((folder) =>
    readdirSync(join(ROOT, folder)).map((file) => `${folder}/${file}`),
  );
  assert.deepEqual(
    lying.filter((path) => !paths.has(path)),
    [],
  );
});

test('--check says that nothing is out of date, and the command refuses what it does not know', async () => {
  const run = promisify(execFile);
  const script = join(ROOT, 'grafana/src/generate.ts');
  assert.equal((await run(process.execPath, [script, '--check'])).stdout, '');
  await assert.rejects(run(process.execPath, [script, '--chekc']), /usage: node grafana/);
});

test('docs/metrics.md has every metric with its labels', () => {
  const page = read('gateway/docs/metrics.md');
  for (const { name, labels } of Object.values(METRICS)) {
    const row = page.split('\n').find((line) => line.startsWith(`| \`${name}\` |`));
    assert.ok(row !== undefined, name);
    for (const label of labels) assert.ok(row.includes(`\`${label}\``), `${name}: ${label}`);
  }
});

test('a query of a label that a metric does not have breaks the generator', () => {
  assert.throws(() => select(METRICS.redisUp, 'service="db"'), /portway_redis_up has no label service/);
});

test('the scrape config and the data source agree with the dashboards', () => {
  const scrapes = read('grafana/prometheus/prometheus.yml');
  assert.match(scrapes, new RegExp(`job_name: ${JOB}\\b`));
  assert.match(scrapes, /rule_files:\s+- rules\/\*\.yml/);
  const source = read('grafana/provisioning/datasources/prometheus.yml');
  assert.match(source, /uid: prometheus\b/);
  // $__rate_interval is four of these
  const interval = /scrape_interval: (\w+)/.exec(scrapes)?.[1];
  assert.equal(/timeInterval: (\w+)/.exec(source)?.[1], interval);
});

test('yaml: words stay plain, what YAML reads otherwise is quoted, lines become a block', () => {
  const value = {
    a: 'word',
    b: 'yes',
    c: '30s',
    d: '{{ $x }}',
    e: 'two\nlines',
    f: [],
    g: [{ h: 1, i: 'j' }],
  };
  assert.equal(
    yamlText(value, 'c'),
    '# c\na: word\nb: "yes"\nc: "30s"\nd: "{{ $x }}"\ne: |-\n  two\n  lines\nf: []\ng:\n  - h: 1\n    i: j\n',
  );
});
