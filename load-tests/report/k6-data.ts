/** What k6 hands to handleSummary, as far as it is read here. */

export interface K6Data {
  readonly metrics: Readonly<Record<string, K6Metric>>;
  readonly root_group: K6Group;
  readonly state: { readonly testRunDurationMs: number };
}

export interface K6Metric {
  readonly type: 'counter' | 'gauge' | 'rate' | 'trend';
  readonly values: Readonly<Record<string, number>>;
  readonly thresholds?: Readonly<Record<string, { readonly ok: boolean }>>;
}

interface K6Group {
  readonly checks: readonly K6Check[];
}

export interface K6Check {
  readonly name: string;
  readonly passes: number;
  readonly fails: number;
}
