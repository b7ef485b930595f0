import type { YamlValue } from '../yaml-text.ts';

export interface RecordingRule {
  readonly record: string;
  readonly expr: string;
  /** What the series is, for the documentation. */
  readonly help: string;
  readonly labels: readonly string[];
}

export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  /** How long the expression must hold before it fires. */
  readonly holdsFor: string;
  /** `critical` wakes somebody; `warning` waits for the morning. */
  readonly severity: 'critical' | 'warning';
  /** One line; may name labels as `{{ $labels.service }}`. */
  readonly summary: string;
  /** What was seen, with the value. */
  readonly description: string;
}

/** Where an alert's annotation leads, from the root of the repository. */
export function runbookUrl(alert: string): string {
  return `gateway/docs/runbook.md#${alert.toLowerCase()}`;
}

export function recordingFile(group: string, rules: readonly RecordingRule[], interval: string): YamlValue {
  return { groups: [{ name: group, interval, rules: rules.map(({ record, expr }) => ({ record, expr })) }] };
}

export function alertFile(group: string, rules: readonly AlertRule[]): YamlValue {
  return { groups: [{ name: group, rules: rules.map(alertEntry) }] };
}

function alertEntry(rule: AlertRule): YamlValue {
  return {
    alert: rule.alert,
    expr: rule.expr,
    for: rule.holdsFor,
    labels: { severity: rule.severity },
    annotations: {
      summary: rule.summary,
      description: rule.description,
      runbook_url: runbookUrl(rule.alert),
    },
  };
}
