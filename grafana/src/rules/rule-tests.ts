import type { YamlValue } from '../yaml-text.ts';
import { ALERT_GROUP, ALERT_RULES } from './alert-rules.ts';
import { RECORDING_GROUP } from './recording-rules.ts';
import { runbookUrl } from './rule-file.ts';
import type { SampleSeries } from './sample-series.ts';

/** What one alert does as its series go by. */
export interface AlertCase {
  readonly alert: string;
  readonly name: string;
  readonly series: readonly SampleSeries[];
  /** Times since the start at which it must not fire. */
  readonly quietAt: readonly string[];
  readonly firesAt: string;
  readonly expects: readonly ExpectedAlert[];
}

interface ExpectedAlert {
  /** Besides the severity, which is the rule's. */
  readonly labels: Readonly<Record<string, string>>;
  readonly summary: string;
  readonly description: string;
}

/** A file for `promtool test rules`, which knows the rules by their paths from it. Samples and evaluations are `interval` apart. */
export function ruleTestFile(cases: readonly AlertCase[], interval: string): YamlValue {
  return {
    rule_files: ['../rules/recording.yml', '../rules/alerts.yml'],
    evaluation_interval: interval,
    // the alerts read what is recorded
    group_eval_order: [RECORDING_GROUP, ALERT_GROUP],
    tests: cases.map((oneCase) => caseEntry(oneCase, interval)),
  };
}

function caseEntry(oneCase: AlertCase, interval: string): YamlValue {
  const { alert, name, series, quietAt, firesAt, expects } = oneCase;
  const { severity } = ruleOf(alert);
  const quiet = quietAt.map((time) => ({ eval_time: time, alertname: alert, exp_alerts: [] }));
  const fires = {
    eval_time: firesAt,
    alertname: alert,
    exp_alerts: expects.map(({ labels, summary, description }) => ({
      exp_labels: { severity, ...labels },
      exp_annotations: { summary, description, runbook_url: runbookUrl(alert) },
    })),
  };
  return {
    name: `${alert}: ${name}`,
    interval,
    input_series: series.map(({ series: selector, values }) => ({ series: selector, values })),
    alert_rule_test: [...quiet, fires],
  };
}

function ruleOf(alert: string): (typeof ALERT_RULES)[number] {
  const rule = ALERT_RULES.find((candidate) => candidate.alert === alert);
  if (rule === undefined) throw new Error(`no alert is called ${alert}`);
  return rule;
}
