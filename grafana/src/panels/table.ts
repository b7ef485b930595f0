import { COLOUR, type StateName } from '../colours.ts';
import { mappings, type Panel, type PanelText, panel, thresholds } from './panel.ts';

/** One column; a table shows no others. */
interface Column {
  /** Of a label its name; of the value of query A `Value #A`, or `Value` where there is but one query. */
  readonly field: string;
  readonly title: string;
  readonly unit?: string;
  readonly states?: readonly StateName[];
  readonly links?: readonly object[];
}

interface TableText extends PanelText {
  readonly columns: readonly Column[];
  /** What it says instead of rows. */
  readonly nothing: string;
}

/** A row per series at the end of the range; the values of several queries side by side where their labels agree. */
export function table(text: TableText): Panel {
  const { columns, nothing } = text;
  return panel('table', text, 'table', {
    fieldConfig: {
      defaults: {
        unit: text.unit,
        noValue: nothing,
        color: { mode: 'thresholds' },
        custom: { align: 'left', cellOptions: { type: 'auto' }, filterable: false, inspect: false },
        thresholds: thresholds(COLOUR.plain, []),
      },
      overrides: columns.flatMap(columnOverride),
    },
    options: { frameIndex: 0, showHeader: true, cellHeight: 'sm' },
    transformations: [
      { id: 'merge', options: {} },
      { id: 'filterFieldsByName', options: { include: { names: columns.map(({ field }) => field) } } },
      { id: 'organize', options: arrangement(columns) },
    ],
  });
}

function arrangement(columns: readonly Column[]): object {
  return {
    indexByName: Object.fromEntries(columns.map(({ field }, index) => [field, index])),
    renameByName: Object.fromEntries(columns.map(({ field, title }) => [field, title])),
  };
}

function columnOverride({ title, unit, states = [], links = [] }: Column): object[] {
  const properties = [
    ...(unit === undefined ? [] : [{ id: 'unit', value: unit }]),
    ...(states.length === 0
      ? []
      : [
          { id: 'mappings', value: mappings(states) },
          { id: 'custom.cellOptions', value: { type: 'color-text' } },
        ]),
    ...(links.length === 0 ? [] : [{ id: 'links', value: links }]),
  ];
  return properties.length === 0 ? [] : [{ matcher: { id: 'byName', options: title }, properties }];
}
