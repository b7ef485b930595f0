import { COLOUR, type Colour, type StateName } from '../colours.ts';
import { mappings, type Panel, type PanelText, panel, type Step, thresholds } from './panel.ts';

interface StatText extends PanelText {
  /** Undefined: an amount, which is neither good nor bad. */
  readonly steps?: readonly Step[];
  /** Below the first step. */
  readonly base?: Colour;
  readonly states?: readonly StateName[];
  readonly decimals?: number;
  /** Shows what the series are called instead of their values. */
  readonly names?: boolean;
  readonly links?: readonly object[];
}

/** One number, with the line that led to it. */
export function stat(text: StatText): Panel {
  const { steps, states = [], decimals, names = false, links = [] } = text;
  const base = text.base ?? (steps === undefined ? COLOUR.plain : COLOUR.ok);
  return panel('stat', { width: 4, height: 4, ...text }, 'time_series', {
    fieldConfig: {
      defaults: {
        unit: text.unit,
        ...(decimals === undefined ? {} : { decimals }),
        color: { mode: 'thresholds' },
        thresholds: thresholds(base, steps ?? []),
        mappings: mappings(states),
        links,
      },
      overrides: [],
    },
    options: {
      reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
      colorMode: 'value',
      graphMode: text.queries.some(({ instant }) => instant) || names ? 'none' : 'area',
      textMode: names ? 'name' : 'auto',
      justifyMode: 'auto',
      orientation: 'auto',
      wideLayout: true,
      showPercentChange: false,
      percentChangeColorMode: 'standard',
    },
  });
}
