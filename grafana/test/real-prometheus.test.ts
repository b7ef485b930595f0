import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { generatedFiles } from '../src/generated-files.ts';
import { ALERT_RULES } from '../src/rules/alert-rules.ts';
import { RECORDING_RULES } from '../src/rules/recording-rules.ts';
import { annotationQueries, drawingProblem, filledIn, panelQueries } from './support/panel-queries.ts';
import { type Answer, type Prometheus, startPrometheus } from './support/prometheus.ts';
import { END_SECONDS, syntheticHistory } from './support/synthetic-history.ts';

const CHOICES = { service: 'db', route: '.*', backend: '.*' };

describe('a real Prometheus, with an hour of every series there is', () => {
  let prometheus: Prometheus;

  before(async () => {
    const files = generatedFiles().filter(({ path }) => path.startsWith('grafana/prometheus/rules/'));
    assert.equal(files.length, 2);
    // as soon as it starts, not after an interval of theirs
    const rules = files.map(({ text }) => text.replace(/^( +)interval: .*$/m, '$1interval: 1s'));
    prometheus = await startPrometheus({ rules, history: syntheticHistory() });
  });
  after(() => prometheus?.stop());

  const ask = (expr: string): Promise<readonly Answer[]> =>
    prometheus.query(filledIn(expr, CHOICES), END_SECONDS);

  for (const query of [...panelQueries(), ...annotationQueries()]) {
    test(`answers ${query.where} (${query.legend})`, async () => {
      const answers = await ask(query.expr);
      const lines = answers.map(({ labels, value }) => ({ labels, values: [value] }));
      assert.equal(drawingProblem(query, lines), undefined);
    });
  }

  for (const { record, expr, labels } of RECORDING_RULES) {
    test(`records ${record}`, async () => {
      const answers = await ask(expr);
      assert.ok(answers.length > 0);
      for (const answer of answers) assert.deepEqual(Object.keys(answer.labels), labels);
    });
  }

  for (const { alert, expr } of ALERT_RULES) {
    // the history is one in which everything is wrong, but for what is recorded, which has values of its own
    test(`finds what ${alert} looks for`, async () => {
      assert.ok((await ask(expr)).length > 0);
    });
  }

  test('evaluates every rule file without an error', async () => {
    let health = await prometheus.ruleHealth();
    while (health.some((rule) => rule.includes(': unknown'))) {
      await sleep(50);
      health = await prometheus.ruleHealth();
    }
    assert.equal(health.length, RECORDING_RULES.length + ALERT_RULES.length);
    assert.deepEqual(
      health.filter((rule) => !rule.endsWith(': ok')),
      [],
    );
  });

  test('says what is wrong with a query, and is empty where nothing is', async () => {
    await assert.rejects(ask('sum by (route (portway_requests_total)'), /parse error/);
    assert.deepEqual(await ask('portway_no_such_metric'), []);
  });
});
