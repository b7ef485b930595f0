import type { Panel } from '../panels/panel.ts';
import type { Annotation } from './annotations.ts';
import type { Variable } from './variables.ts';

export interface Dashboard {
  /** Part of its address, so it never changes. */
  readonly uid: DashboardUid;
  /** Of its file, without `.json`. */
  readonly file: string;
  readonly title: string;
  readonly description: string;
  readonly variables: readonly Variable[];
  readonly annotations: readonly Annotation[];
  readonly sections: readonly Section[];
}

type DashboardUid = 'portway-overview' | 'portway-service' | 'portway-connections' | 'portway-load-test';

export interface Section {
  readonly title: string;
  readonly panels: readonly Panel[];
}

const COLUMNS = 24;
/** Grafana 12.0's; newer versions read it as it is. */
const SCHEMA_VERSION = 41;
const TAG = 'portway';

/** What Grafana reads from a file. */
export function dashboardJson(dashboard: Dashboard): string {
  const { uid, title, description, variables, annotations, sections } = dashboard;
  const body = {
    uid,
    title,
    description,
    tags: [TAG],
    schemaVersion: SCHEMA_VERSION,
    editable: true,
    // one crosshair over all panels
    graphTooltip: 1,
    refresh: '5s',
    time: { from: 'now-15m', to: 'now' },
    timepicker: {},
    timezone: 'browser',
    links: [toOthers()],
    templating: { list: variables.map((variable) => variable.body) },
    annotations: { list: annotations.map((annotation) => annotation.body) },
    panels: laidOut(sections),
  };
  return `${JSON.stringify(body, undefined, 2)}\n`;
}

/** Every other dashboard of the family, with the time range; not the variables, which are not the same everywhere. */
function toOthers(): object {
  return {
    type: 'dashboards',
    title: 'Portway',
    tags: [TAG],
    asDropdown: false,
    includeVars: false,
    keepTime: true,
    targetBlank: false,
  };
}

/** Sections under each other, and in each its panels from left to right, in as many lines as they need. */
function laidOut(sections: readonly Section[]): object[] {
  const placed: object[] = [];
  let y = 0;
  for (const { title, panels } of sections) {
    const id = placed.length + 1;
    placed.push({
      id,
      type: 'row',
      title,
      collapsed: false,
      gridPos: { x: 0, y, w: COLUMNS, h: 1 },
      panels: [],
    });
    y += 1;
    let x = 0;
    let lineHeight = 0;
    for (const { width, height, body } of panels) {
      if (x + width > COLUMNS) {
        x = 0;
        y += lineHeight;
        lineHeight = 0;
      }
      placed.push({ id: placed.length + 1, gridPos: { x, y, w: width, h: height }, ...body });
      x += width;
      lineHeight = Math.max(lineHeight, height);
    }
    y += lineHeight;
  }
  return placed;
}
