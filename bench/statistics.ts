/** A figure over several rounds: its median, and the least and greatest seen. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly greatest: number;
}

/** Median of one or more numbers (the mean of the middle two when their count is even). Throws RangeError on none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  if (upper === undefined) throw new RangeError('the median of no numbers');
  if (sorted.length % 2 === 1) return upper;
  return ((sorted[sorted.length / 2 - 1] ?? upper) + upper) / 2;
}

/** Median, least and greatest of one or more numbers. Throws RangeError on none. */
export function spread(values: readonly number[]): Spread {
  return { median: median(values), least: Math.min(...values), greatest: Math.max(...values) };
}

/** A figure of one round. */
export interface Reading {
  readonly round: number;
  readonly value: number;
}

/**
 * The ratio of two sets of readings, each taken within one round, so that a slow minute of the machine falls on
 * both sides. Undefined when no round has both.
 */
export function ratio(over: readonly Reading[], under: readonly Reading[]): Spread | undefined {
  const byRound = new Map(under.map((reading) => [reading.round, reading.value]));
  const ratios: number[] = [];
  for (const { round, value } of over) {
    const base = byRound.get(round);
    if (base !== undefined && base > 0) ratios.push(value / base);
  }
  return ratios.length === 0 ? undefined : spread(ratios);
}

/** Least-squares slope of y over x, in y's unit per x's unit; 0 for fewer than two points or a single x. */
export function slope(points: readonly { readonly x: number; readonly y: number }[]): number {
  const meanX = points.reduce((sum, point) => sum + point.x, 0) / points.length;
  const meanY = points.reduce((sum, point) => sum + point.y, 0) / points.length;
  let above = 0;
  let below = 0;
  for (const { x, y } of points) {
    above += (x - meanX) * (y - meanY);
    below += (x - meanX) ** 2;
  }
  return below === 0 || Number.isNaN(below) ? 0 : above / below;
}

/** The items starting at `by`, going round: each round of the benchmark starts with another peer. */
export function rotate<T>(items: readonly T[], by: number): readonly T[] {
  if (items.length === 0) return items;
  const start = by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}
