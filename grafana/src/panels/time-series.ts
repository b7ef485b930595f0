import { COLOUR, type Colour } from '../colours.ts';
import { type Panel, type PanelText, panel, type Step, thresholds } from './panel.ts';

interface TimeSeriesText extends PanelText {
  readonly stack?: boolean;
  readonly max?: number;
  /** Lines across the panel. */
  readonly limits?: readonly Step[];
  /** By what a series is called. */
  readonly colours?: Readonly<Record<string, Colour>>;
  readonly links?: readonly object[];
}

/** Lines over time, from zero up. A series that is not given a colour has the same one in every panel, by its name. */
export function timeSeries(text: TimeSeriesText): Panel {
  const { stack = false, limits = [], colours = {}, links = [], max } = text;
  const custom = {
    drawStyle: 'line',
    lineWidth: 1,
    fillOpacity: stack ? 40 : 8,
    showPoints: 'never',
    // a scrape that is missing is no gap; an outage is
    spanNulls: 60_000,
    stacking: { group: 'A', mode: stack ? 'normal' : 'none' },
    thresholdsStyle: { mode: limits.length > 0 ? 'dashed' : 'off' },
  };
  return panel('timeseries', text, 'time_series', {
    fieldConfig: {
      defaults: {
        unit: text.unit,
        min: 0,
        ...(max === undefined ? {} : { max }),
        color: { mode: 'palette-classic-by-name' },
        custom,
        links,
        thresholds: thresholds(COLOUR.ok, limits),
      },
      overrides: Object.entries(colours).map(([name, colour]) => inColour(name, colour)),
    },
    options: {
      legend: { showLegend: true, displayMode: 'list', placement: 'bottom', calcs: ['lastNotNull'] },
      tooltip: { mode: 'multi', sort: 'desc' },
    },
  });
}

function inColour(name: string, colour: Colour): object {
  return {
    matcher: { id: 'byName', options: name },
    properties: [{ id: 'color', value: { mode: 'fixed', fixedColor: colour } }],
  };
}
