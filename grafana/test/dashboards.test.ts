import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { METRICS } from '../../gateway/src/control/metrics/definitions.ts';
import { DASHBOARDS } from '../src/dashboards/all.ts';
import { dashboardJson } from '../src/dashboards/dashboard.ts';
import { K6, PROCESS, PROMETHEUS } from '../src/other-series.ts';
import type { Series } from '../src/promql.ts';
import { ALERT_RULES } from '../src/rules/alert-rules.ts';
import { RECORDING_RULES } from '../src/rules/recording-rules.ts';
import { namedSeries } from './support/named-series.ts';
import { annotationQueries, panelQueries } from './support/panel-queries.ts';

interface GridPanel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly {
    readonly refId: string;
    readonly expr: string;
    readonly legendFormat: string;
  }[];
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
  readonly options?: { readonly legend?: { readonly showLegend?: boolean; readonly show?: boolean } };
}

const UIDS = ['portway-overview', 'portway-service', 'portway-connections', 'portway-load-test'];
/** Of Grafana's own panels; anything else is a plugin. */
const TYPES = ['row', 'timeseries', 'stat', 'table', 'state-timeline', 'heatmap'];
const UNITS = ['s', 'reqps', 'cps', 'percentunit', 'short', 'bytes', 'Bps', 'dateTimeFromNow'];

const known: ReadonlyMap<string, readonly string[]> = new Map(
  [
    ...[METRICS, PROCESS, K6, PROMETHEUS].flatMap((family) => Object.values<Series>(family)),
    ...RECORDING_RULES.map(({ record, labels }): Series => ({ name: record, type: 'gauge', labels })),
  ].flatMap(({ name, type, labels }): [string, readonly string[]][] =>
    type === 'histogram'
      ? [
          [`${name}_bucket`, [...labels, 'le']],
          [`${name}_sum`, labels],
          [`${name}_count`, labels],
        ]
      : [[name, labels]],
  ),
);

const everyExpr = [
  ...[...panelQueries(), ...annotationQueries()].map(({ where, expr }) => ({ where, expr })),
  ...RECORDING_RULES.map(({ record, expr }) => ({ where: record, expr })),
  ...ALERT_RULES.map(({ alert, expr }) => ({ where: alert, expr })),
];

test('every series in a panel, an annotation or a rule is one that somebody makes, with those labels', () => {
  assert.ok(everyExpr.length > 100);
  for (const { where, expr } of everyExpr) {
    const named = namedSeries(expr);
    assert.ok(named.length > 0, `${where}: ${expr}`);
    for (const { name, labels } of named) {
      const own = known.get(name);
      assert.ok(own !== undefined, `${where}: nobody makes ${name}`);
      for (const label of labels) {
        assert.ok([...own, 'job', 'instance'].includes(label), `${where}: ${name} has no label ${label}`);
      }
    }
  }
});

test('every metric of the gateway is in some panel', () => {
  const shown = new Set(panelQueries().flatMap(({ expr }) => namedSeries(expr).map(({ name }) => name)));
  const unseen = Object.values(METRICS).filter(
    ({ name }) => !shown.has(name) && !shown.has(`${name}_bucket`),
  );
  assert.deepEqual(
    unseen.map(({ name }) => name),
    [],
  );
});

test('what has the same name in every process is asked of the gateway alone', () => {
  const open = panelQueries().filter(({ expr }) => /process_\w+(?!\w|\{[^}]*job=)/.test(expr));
  assert.deepEqual(
    open.map(({ where }) => where),
    [],
  );
});

test('a rate in a panel is over an interval that Grafana chooses', () => {
  const bare = panelQueries().map(({ expr }) => expr.replaceAll(/"[^"]*"/g, ''));
  const windows = bare.flatMap((expr) => [...expr.matchAll(/\[([^\]]*)\]/g)].map(([, window]) => window));
  assert.deepEqual([...new Set(windows)].sort(), ['$__range', '$__rate_interval']);
});

test('the addresses of the dashboards stay', () => {
  assert.deepEqual(
    DASHBOARDS.map(({ uid }) => uid),
    UIDS,
  );
});

for (const dashboard of DASHBOARDS) {
  describe(dashboard.title, () => {
    const text = dashboardJson(dashboard);
    const { panels, schemaVersion, links } = JSON.parse(text) as {
      panels: GridPanel[];
      schemaVersion: number;
      links: { tags: string[] }[];
    };
    const drawn = panels.filter(({ type }) => type !== 'row');

    test('has a schema that Grafana 12 knows, and leads to the others', () => {
      assert.equal(schemaVersion, 41);
      assert.deepEqual(links[0]?.tags, ['portway']);
      const targets = [...text.matchAll(/"url": "\/d\/([\w-]+)\?/g)].map(([, uid]) => uid ?? '');
      assert.deepEqual(
        targets.filter((uid) => !UIDS.includes(uid)),
        [],
      );
    });

    test('fits the grid: nothing overlaps, nothing sticks out, ids are unique', () => {
      assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
      const cells = new Map<string, string>();
      for (const { title, gridPos } of panels) {
        assert.ok(gridPos.x >= 0 && gridPos.w > 0 && gridPos.x + gridPos.w <= 24, title);
        for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
          for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
            const other = cells.get(`${x} ${y}`);
            assert.equal(other, undefined, `${title} lies over ${other}`);
            cells.set(`${x} ${y}`, title);
          }
        }
      }
    });

    test('is readable at 1280 px: numbers have a sixth of the width, all else a third', () => {
      const narrow = drawn.filter(({ type, gridPos }) => gridPos.w < (type === 'stat' ? 4 : 8));
      assert.deepEqual(narrow, []);
    });

    test('every panel has a title, a description, a unit and a legend, and needs no plugin', () => {
      assert.ok(drawn.length > 0);
      for (const { type, title, description = '', fieldConfig, options, targets = [] } of drawn) {
        assert.ok(TYPES.includes(type), type);
        assert.ok(title !== '' && /^[\S].*\.$/.test(description), `${title}: ${description}`);
        assert.ok(
          UNITS.includes(fieldConfig?.defaults.unit ?? ''),
          `${title}: ${fieldConfig?.defaults.unit}`,
        );
        assert.ok(targets.length > 0 && targets.every(({ legendFormat }) => legendFormat !== ''), title);
        assert.equal(new Set(targets.map(({ refId }) => refId)).size, targets.length, title);
        const legend = options?.legend;
        const shown =
          ['stat', 'table'].includes(type) || legend?.showLegend === true || legend?.show === true;
        assert.ok(shown, `${title} has no legend`);
      }
      assert.equal(new Set(drawn.map(({ title }) => title)).size, drawn.length, 'titles are unique');
    });

    test('every variable that a query uses is one of its own, and every one of its own is used', () => {
      const own = dashboard.variables.map(({ name }) => name);
      const used = new Set([...text.matchAll(/\$\{?(?!__)([a-z]\w*)/g)].map(([, name]) => name));
      assert.deepEqual([...used].sort(), [...own].sort());
      for (const { name, from } of dashboard.variables) {
        if (from === undefined) continue;
        const [series] = namedSeries(from.selected);
        assert.ok(known.get(series?.name ?? '')?.includes(from.label), `${name} of ${from.selected}`);
      }
    });
  });
}
