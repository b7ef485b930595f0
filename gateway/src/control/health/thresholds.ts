/** What a row of probe results makes of a backend: pure, so that every sequence can be tried. */
export type ThresholdState =
  /** No result yet: the next one decides alone. */
  | { readonly decided: false }
  | {
      readonly decided: true;
      readonly healthy: boolean;
      /** Results in a row that contradict the verdict; while there are any, the verdict is changing. */
      readonly against: number;
    };

/** Results in a row that turn an unhealthy backend healthy (`rise`) and a healthy one unhealthy (`fall`); at least 1. */
export interface Thresholds {
  readonly rise: number;
  readonly fall: number;
}

export const UNDECIDED: ThresholdState = { decided: false };

/** A verdict that nothing speaks against yet. */
export const settled = (healthy: boolean): ThresholdState => ({ decided: true, healthy, against: 0 });

/** Whether the last result contradicts the verdict. */
export const isChanging = (state: ThresholdState): boolean => state.decided && state.against > 0;

/**
 * The state after one more result.
 * @param suspected live traffic was refused there: one failure is then enough
 */
export function afterResult(
  state: ThresholdState,
  good: boolean,
  { rise, fall }: Thresholds,
  suspected = false,
): ThresholdState {
  if (!state.decided || good === state.healthy) return settled(good);
  const needed = good ? rise : suspected ? 1 : fall;
  const against = state.against + 1;
  return against >= needed ? settled(good) : { ...state, against };
}
