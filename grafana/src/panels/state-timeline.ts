import { COLOUR, type NumberedState } from '../colours.ts';
import { mappings, type Panel, type PanelText, panel, thresholds } from './panel.ts';

interface StateTimelineText extends PanelText {
  readonly states: readonly NumberedState[];
}

/** A band per series, coloured by its state. */
export function stateTimeline(text: StateTimelineText): Panel {
  const steps = text.states.map(({ value, colour }) => ({ from: value, colour }));
  return panel('state-timeline', text, 'time_series', {
    fieldConfig: {
      defaults: {
        unit: text.unit,
        color: { mode: 'thresholds' },
        custom: { lineWidth: 0, fillOpacity: 80 },
        thresholds: thresholds(COLOUR.plain, steps),
        mappings: mappings(text.states),
      },
      overrides: [],
    },
    options: {
      mergeValues: true,
      showValue: 'auto',
      alignValue: 'left',
      rowHeight: 0.8,
      legend: { showLegend: true, displayMode: 'list', placement: 'bottom', calcs: [] },
      tooltip: { mode: 'single', sort: 'none' },
    },
  });
}
