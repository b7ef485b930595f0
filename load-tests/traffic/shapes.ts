/** How the rate of each scenario runs over time. All are open models: requests start when they are due, not when the last one has ended. */
import type { Env } from './environment.ts';
import { readPositive } from './environment.ts';

interface Stage {
  readonly seconds: number;
  /** Requests per second at its end; the rate moves there evenly. */
  readonly rate: number;
}

/** A part of a run: for this share of its time the rate moves to this share of its peak. */
type Part = readonly [timeShare: number, rateShare: number];

const PARTS = {
  /** Steady, and little: does it work at all? */
  smoke: [
    [0, 1],
    [1, 1],
  ],
  /** The usual day: up, steady, down. */
  load: [
    [0, 0.1],
    [0.2, 1],
    [0.6, 1],
    [0.2, 0.1],
  ],
  /** Up by steps, each held, beyond what is expected; then down, to see that it recovers. */
  stress: [
    [0, 0.25],
    [0.2, 0.25],
    [0.02, 0.5],
    [0.2, 0.5],
    [0.02, 0.75],
    [0.2, 0.75],
    [0.02, 1],
    [0.2, 1],
    [0.14, 0.05],
  ],
  /** Nearly nothing, all at once, nearly nothing. */
  spike: [
    [0, 0.05],
    [0.3, 0.05],
    [0.02, 1],
    [0.28, 1],
    [0.02, 0.05],
    [0.38, 0.05],
  ],
  /** Steady for long: leaks and slow decay show. */
  soak: [
    [0, 0.1],
    [0.02, 1],
    [0.97, 1],
    [0.01, 0.1],
  ],
  /** Up without end, until a threshold breaks. */
  breakpoint: [
    [0, 0.01],
    [1, 1],
  ],
} as const satisfies Record<string, readonly Part[]>;

export type ShapeName = keyof typeof PARTS;

const PRESETS: Readonly<Record<ShapeName, { readonly rate: number; readonly seconds: number }>> = {
  smoke: { rate: 10, seconds: 10 },
  load: { rate: 100, seconds: 120 },
  stress: { rate: 600, seconds: 300 },
  spike: { rate: 600, seconds: 120 },
  soak: { rate: 50, seconds: 3_600 },
  breakpoint: { rate: 3_000, seconds: 600 },
};

export interface Shape {
  /** Requests per second at the peak. */
  readonly rate: number;
  readonly seconds: number;
  readonly startRate: number;
  readonly stages: readonly Stage[];
}

/** The shape of a scenario; RATE (requests per second at the peak) and DURATION_SECONDS scale it. */
export function shapeOf(name: ShapeName, env: Env): Shape {
  const preset = PRESETS[name];
  const rate = readPositive(env, 'RATE', preset.rate);
  const seconds = readPositive(env, 'DURATION_SECONDS', preset.seconds);
  const [first, ...rest]: readonly Part[] = PARTS[name];
  const at = (share: number) => Math.max(1, Math.round(rate * share));
  return {
    rate,
    seconds,
    startRate: at(first?.[1] ?? 1),
    stages: rest.map(([time, share]) => ({ seconds: seconds * time, rate: at(share) })),
  };
}
