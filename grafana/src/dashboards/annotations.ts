import { METRICS } from '../../../gateway/src/control/metrics/definitions.ts';
import { COLOUR, type Colour } from '../colours.ts';
import { K6 } from '../other-series.ts';
import { DATA_SOURCE } from '../panels/panel.ts';
import { aggregate, increase, rate, select, sum } from '../promql.ts';

/** An event drawn across every panel. */
export interface Annotation {
  readonly name: string;
  readonly expr: string;
  readonly body: Readonly<Record<string, unknown>>;
}

// The window is a step and a scrape wide, so that no event falls between two evaluations.
const STEP = '10s';
const WINDOW = '15s';

/** What happened to the backends of the services that `matchers` choose, and to the config. */
export function annotations(...matchers: readonly string[]): readonly Annotation[] {
  const flips = `changes(${select(METRICS.breakerState, ...matchers)}[${WINDOW}])`;
  const ejections = increase(select(METRICS.ejections, ...matchers), WINDOW);
  const reloads = increase(select(METRICS.configReloads), WINDOW);
  const backend = ['service', 'backend'];
  return [
    annotation('Breaker flips', COLOUR.warn, `${aggregate('max', backend, flips)} > 0`, backend),
    annotation('Ejections', COLOUR.error, `${aggregate('max', backend, ejections)} > 0`, backend),
    annotation('Config reloads', COLOUR.plain, `${sum(['result'], reloads)} > 0`, ['result']),
  ];
}

/** The faults that the chaos scenario tags its requests by: as long as each is on and settles. */
export function faults(): Annotation {
  const tagged = rate(select(K6.requests, 'fault!~"|none"'), WINDOW);
  return annotation('Faults', COLOUR.client, `${sum(['fault'], tagged)} > 0`, ['fault']);
}

function annotation(name: string, colour: Colour, expr: string, labels: readonly string[]): Annotation {
  return {
    name,
    expr,
    body: {
      name,
      datasource: DATA_SOURCE,
      enable: true,
      hide: false,
      iconColor: colour,
      expr,
      step: STEP,
      target: { refId: 'Anno', expr, interval: STEP, legendFormat: '', range: true, instant: false },
      titleFormat: name,
      textFormat: labels.map((label) => `{{${label}}}`).join(' '),
      tagKeys: labels.join(','),
    },
  };
}
