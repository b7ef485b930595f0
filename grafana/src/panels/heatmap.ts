import { COLOUR } from '../colours.ts';
import { type Panel, type PanelText, panel } from './panel.ts';

interface HeatmapText extends PanelText {
  /** The variable that it is drawn once for each value of. */
  readonly repeat: string;
}

/** Buckets of a histogram over time: how many requests took how long. One for each value of a variable, three in a row. */
export function heatmap(text: HeatmapText): Panel {
  return panel('heatmap', text, 'heatmap', {
    repeat: text.repeat,
    repeatDirection: 'h',
    maxPerRow: 3,
    fieldConfig: {
      defaults: { unit: 'short', custom: { scaleDistribution: { type: 'linear' } } },
      overrides: [],
    },
    options: {
      calculate: false,
      cellGap: 1,
      color: {
        mode: 'scheme',
        scheme: 'Oranges',
        fill: 'dark-orange',
        scale: 'exponential',
        exponent: 0.5,
        steps: 64,
        reverse: false,
      },
      exemplars: { color: COLOUR.client },
      showValue: 'never',
      // a bucket without requests is background, not the palest colour
      filterValues: { le: 1e-9 },
      rowsFrame: { layout: 'auto' },
      yAxis: { axisPlacement: 'left', unit: text.unit },
      legend: { show: true },
      tooltip: { mode: 'single', showColorScale: true, yHistogram: false },
    },
  });
}
