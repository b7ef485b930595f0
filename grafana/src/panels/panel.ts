import type { Colour, StateName } from '../colours.ts';

export interface Query {
  readonly expr: string;
  /** What Grafana calls a series: `{{label}}`, or one word. */
  readonly legend: string;
  /** Asked at the end of the range only. */
  readonly instant?: boolean;
  /** Whether trace ids are drawn beside it. */
  readonly exemplars?: boolean;
}

export interface PanelText {
  readonly title: string;
  readonly description: string;
  /** Grafana's id of a unit: `s`, `reqps`, `percentunit`, `short`, `bytes`. */
  readonly unit: string;
  readonly queries: readonly Query[];
  /** Of the 24 columns; undefined is a third. */
  readonly width?: number;
  readonly height?: number;
  /** When it rightly shows nothing; undefined: under load it always shows something. */
  readonly emptyWhen?: string;
}

/** A panel without its place and id. */
export interface Panel {
  readonly title: string;
  readonly width: number;
  readonly height: number;
  readonly queries: readonly Query[];
  readonly emptyWhen: string | undefined;
  /** What Grafana reads, but for the place, the id and the data source. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** From this value on, in this colour. */
export interface Step {
  readonly from: number;
  readonly colour: Colour;
}

export function panel(
  type: string,
  text: PanelText,
  format: 'time_series' | 'table' | 'heatmap',
  body: Readonly<Record<string, unknown>>,
): Panel {
  const targets = text.queries.map((query, index) => ({
    refId: 'ABCDEFGH'.charAt(index),
    datasource: DATA_SOURCE,
    editorMode: 'code',
    expr: query.expr,
    legendFormat: query.legend,
    format,
    instant: query.instant ?? false,
    range: !(query.instant ?? false),
    exemplar: query.exemplars ?? false,
  }));
  return {
    title: text.title,
    width: text.width ?? 8,
    height: text.height ?? 8,
    queries: text.queries,
    emptyWhen: text.emptyWhen,
    body: {
      type,
      title: text.title,
      description: withReason(text),
      datasource: DATA_SOURCE,
      ...body,
      targets,
    },
  };
}

/** The one that the dashboard's variable names. */
export const DATA_SOURCE = { type: 'prometheus', uid: `\${datasource}` } as const;

export function thresholds(ok: Colour, steps: readonly Step[]): object {
  return {
    mode: 'absolute',
    steps: [{ color: ok, value: null }, ...steps.map(({ from, colour }) => ({ color: colour, value: from }))],
  };
}

export function mappings(states: readonly StateName[]): readonly object[] {
  const options = states.map(({ value, text, colour }, index) => [value, { text, color: colour, index }]);
  return states.length === 0 ? [] : [{ type: 'value', options: Object.fromEntries(options) }];
}

/** Link to a dashboard with the time range that is looked at; `query` is its variables. */
export function dashboardLink(title: string, uid: string, query: string): object {
  return { title, url: `/d/${uid}?${query}&\${__url_time_range}`, targetBlank: false };
}

function withReason({ description, emptyWhen }: PanelText): string {
  return emptyWhen === undefined ? description : `${description} Empty ${emptyWhen}.`;
}
