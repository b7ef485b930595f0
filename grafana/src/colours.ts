import type { Exclusion } from '../../gateway/src/data/port.ts';

/** One colour for one state, everywhere. Names of Grafana's palette, which it adapts to a dark and a light theme. */
export const COLOUR = {
  ok: 'green',
  notice: 'yellow',
  warn: 'orange',
  error: 'red',
  /** What probes find down. */
  down: 'dark-red',
  /** Neither good nor bad: amounts. */
  plain: 'blue',
  /** The client's doing. */
  client: 'purple',
} as const;

export type Colour = (typeof COLOUR)[keyof typeof COLOUR];

/** Answers by the class of their status, as `byStatusClass` names them. */
export const STATUS_COLOURS: Readonly<Record<string, Colour>> = {
  '1xx': COLOUR.plain,
  '2xx': COLOUR.ok,
  '3xx': COLOUR.plain,
  '4xx': COLOUR.notice,
  '5xx': COLOUR.error,
  'client left': COLOUR.client,
  failed: COLOUR.error,
};

export const PERCENTILE_COLOURS: Readonly<Record<string, Colour>> = {
  p50: COLOUR.ok,
  p95: COLOUR.notice,
  p99: COLOUR.warn,
};

/** Connections by state, and requests that wait for one. */
export const POOL_COLOURS: Readonly<Record<string, Colour>> = {
  active: COLOUR.plain,
  idle: COLOUR.ok,
  connecting: COLOUR.warn,
  waiting: COLOUR.error,
};

/** One value and what it is called, in the colour of its state. */
export interface StateName {
  readonly value: number | string;
  readonly text: string;
  readonly colour: Colour;
}

/** A state that is a number, and so has a place among the thresholds. */
export type NumberedState = StateName & { readonly value: number };

const OUT: Readonly<Record<Exclusion, Omit<StateName, 'value'>>> = {
  admin: { text: 'operator', colour: COLOUR.plain },
  ejection: { text: 'ejected', colour: COLOUR.warn },
  breaker: { text: 'breaker', colour: COLOUR.error },
  health: { text: 'unhealthy', colour: COLOUR.down },
};
/** What keeps a backend out, the lightest first: where replicas differ, the worst is shown. */
export const EXCLUSIONS: readonly StateName[] = Object.entries(OUT).map(([value, state]) => ({
  value,
  ...state,
}));
/** By the place of an exclusion among these, from 1. */
export const ELIGIBLE_STATES: readonly NumberedState[] = [
  { value: 0, text: 'eligible', colour: COLOUR.ok },
  ...EXCLUSIONS.map(({ text, colour }, index) => ({ value: index + 1, text, colour })),
];
export const PROBE_STATES: readonly NumberedState[] = [
  { value: 0, text: 'unhealthy', colour: COLOUR.down },
  { value: 1, text: 'healthy', colour: COLOUR.ok },
];
export const BREAKER_STATES: readonly NumberedState[] = [
  { value: 0, text: 'closed', colour: COLOUR.ok },
  { value: 1, text: 'half-open', colour: COLOUR.notice },
  { value: 2, text: 'open', colour: COLOUR.error },
];
export const REDIS_STATES: readonly NumberedState[] = [
  { value: 0, text: 'away', colour: COLOUR.error },
  { value: 1, text: 'up', colour: COLOUR.ok },
];
export const CONFIG_STATES: readonly NumberedState[] = [
  { value: 0, text: 'refused', colour: COLOUR.error },
  { value: 1, text: 'in force', colour: COLOUR.ok },
];
