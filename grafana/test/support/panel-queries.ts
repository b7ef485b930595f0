import { DASHBOARDS } from '../../src/dashboards/all.ts';
import type { Query } from '../../src/panels/panel.ts';
import type { Line } from './prometheus.ts';

/** A query of a panel or an annotation, and where it stands. */
export interface PlacedQuery extends Query {
  /** `overview: Rate by route`. */
  readonly where: string;
  /** When an empty answer is right. */
  readonly emptyWhen: string | undefined;
}

export function panelQueries(): readonly PlacedQuery[] {
  return DASHBOARDS.flatMap(({ file, sections }) =>
    sections
      .flatMap(({ panels }) => panels)
      .flatMap(({ title, queries, emptyWhen }) =>
        queries.map((query) => ({ ...query, where: `${file}: ${title}`, emptyWhen })),
      ),
  );
}

export function annotationQueries(): readonly PlacedQuery[] {
  return DASHBOARDS.flatMap(({ file, annotations }) =>
    annotations.map(({ name, expr, body }) => ({
      where: `${file}: annotation ${name}`,
      expr,
      legend: String(body['textFormat']),
      emptyWhen: 'while nothing happens',
    })),
  );
}

/** What may be chosen at the top of a dashboard, and where the choices come from. */
export function variableQueries(): readonly { where: string; selected: string; label: string }[] {
  return DASHBOARDS.flatMap(({ file, variables }) =>
    variables.flatMap(({ name, from }) =>
      from === undefined ? [] : [{ where: `${file}: variable ${name}`, ...from }],
    ),
  );
}

export interface Choices {
  readonly service: string;
  /** Regular expressions, as Grafana makes them of what is ticked. */
  readonly route: string;
  readonly backend: string;
  /** `$__rate_interval`, four scrapes; undefined: of scrapes every 15 s. */
  readonly rateInterval?: string;
  /** `$__range`; undefined: a quarter of an hour. */
  readonly range?: string;
}

/** What Grafana would ask: its variables filled in. */
export function filledIn(expr: string, choices: Choices): string {
  const { service, route, backend, rateInterval = '1m', range = '15m' } = choices;
  return expr
    .replaceAll('$__rate_interval', rateInterval)
    .replaceAll('$__range', range)
    .replaceAll('$service', service)
    .replaceAll('$route', route)
    .replaceAll('$backend', backend);
}

/**
 * What is wrong with the answer to a query, for people; undefined when nothing is: it draws something, and its legend says
 * what, for each label in it is there and not empty.
 */
export function drawingProblem({ expr, legend }: PlacedQuery, lines: readonly Line[]): string | undefined {
  if (!lines.some(({ values }) => values.some(Number.isFinite))) return `nothing to draw: ${expr}`;
  const wanted = [...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label);
  for (const { labels } of lines) {
    const missing = wanted.find((label) => !labels[label]);
    if (missing !== undefined) return `no ${missing} in ${JSON.stringify(labels)}: ${expr}`;
  }
  if (wanted.length === 0 && lines.length > 1) return `several lines are called ${legend}: ${expr}`;
  return undefined;
}
