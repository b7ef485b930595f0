import { METRICS } from '../../../gateway/src/control/metrics/definitions.ts';
import { DATA_SOURCE } from '../panels/panel.ts';
import { type Series, select } from '../promql.ts';

/** A variable at the top of a dashboard. */
export interface Variable {
  readonly name: string;
  /** Where its values come from; undefined of the data source. */
  readonly from: { readonly selected: string; readonly label: string } | undefined;
  readonly body: Readonly<Record<string, unknown>>;
}

export const DATA_SOURCE_VARIABLE: Variable = {
  name: 'datasource',
  from: undefined,
  body: {
    name: 'datasource',
    label: 'Data source',
    type: 'datasource',
    query: 'prometheus',
    current: { text: 'Prometheus', value: 'prometheus' },
    refresh: 1,
    hide: 0,
    includeAll: false,
    multi: false,
    options: [],
    regex: '',
  },
};

/** Any number of services; all to begin with. */
export const SERVICES = labelValues('Service', 'many', METRICS.backendEligible, 'service');

/** One service. */
export const ONE_SERVICE = labelValues('Service', 'one', METRICS.backendEligible, 'service');

/** Any number of the backends of the chosen service. */
export const BACKENDS = labelValues(
  'Backend',
  'many',
  METRICS.backendEligible,
  'backend',
  'service="$service"',
);

export const ROUTES = labelValues('Route', 'many', METRICS.requests, 'route');

function labelValues(
  title: string,
  choice: 'one' | 'many',
  series: Series,
  label: string,
  ...matchers: readonly string[]
): Variable {
  const selected = select(series, ...matchers);
  const query = `label_values(${selected}, ${label})`;
  const many = choice === 'many';
  return {
    name: label,
    from: { selected, label },
    body: {
      name: label,
      label: title,
      type: 'query',
      datasource: DATA_SOURCE,
      definition: query,
      query: { qryType: 1, query, refId: 'PrometheusVariableQueryEditor-VariableQuery' },
      ...(many ? { allValue: '.*', current: { text: ['All'], value: ['$__all'] } } : { current: {} }),
      includeAll: many,
      multi: many,
      // on every change of the time range: a reload of the config brings and takes values
      refresh: 2,
      sort: 1,
      hide: 0,
      options: [],
      regex: '',
    },
  };
}
