import type { CheckContext } from './check-context.ts';
import { DEFAULTS } from './defaults.ts';
import type { Settings } from './settings.ts';
import { toMs } from './settings.ts';
import type { SourcePath } from './source-node.ts';

/** A route or service first, then what it inherits from: where a setting may be written. */
export type Layers = readonly [SourcePath, ...(readonly SourcePath[])];

type Block =
  | ('pool' | 'timeouts' | 'retry' | 'concurrency' | 'health' | 'ejection' | 'breaker')
  | 'webSocket';
type Key = readonly [block: Block, key: string];

interface Order {
  readonly small: Key;
  readonly large: Key;
  readonly why: string;
  readonly severity: 'error' | 'warning';
}

const order = (small: Key, large: Key, why: string, severity: Order['severity'] = 'error'): Order => ({
  small,
  large,
  why,
  severity,
});

const TOTAL: Key = ['timeouts', 'total'];
const WAITS = 'a request would be given up while it still waits';
const NEVER = 'it can never run out';
const LONGEST = 'the first would be longer than the longest';

const ORDERS: readonly Order[] = [
  order(['pool', 'queueTimeout'], TOTAL, WAITS),
  order(['concurrency', 'queueTimeout'], TOTAL, WAITS),
  order(['timeouts', 'connect'], TOTAL, NEVER),
  order(['timeouts', 'head'], TOTAL, NEVER),
  order(['retry', 'perTryTimeout'], TOTAL, NEVER),
  order(['retry', 'hedge'], TOTAL, 'it would never start'),
  order(['retry', 'hedge'], ['retry', 'perTryTimeout'], 'it would never start'),
  order(['health', 'timeout'], ['health', 'interval'], 'a probe may outlast its turn', 'warning'),
  order(['webSocket', 'ping'], ['webSocket', 'idle'], 'it would never be sent', 'warning'),
  order(['ejection', 'baseTime'], ['ejection', 'maxTime'], LONGEST),
  order(['breaker', 'openTime'], ['breaker', 'maxOpenTime'], LONGEST),
];

/**
 * Durations that contradict each other: said where the nearest layer writes one of the two. Of a route only what it
 * writes itself is held against the rest: a short `total` of one route does not make its service's timeouts wrong.
 */
export function checkOrders(context: CheckContext, layers: Layers, settings: Pick<Settings, Block>): void {
  for (const { small, large, why, severity } of ORDERS) {
    const low = durationOf(settings, small) ?? durationOf(PRESETS, small);
    const high = durationOf(settings, large) ?? durationOf(PRESETS, large);
    if (low === undefined || high === undefined || toMs(high) === 0 || toMs(low) <= toMs(high)) continue;
    const layer = layerOf(context, layers, small);
    if (layers[0][0] === 'routes' && layer !== layers[0]) continue;
    const largeLayer = layerOf(context, layers, large);
    const path =
      layer === undefined || (layer !== layers[0] && largeLayer === layers[0])
        ? [...(largeLayer ?? layers[0]), ...large]
        : [...layer, ...small];
    const names = `${small.join('.')} (${low}) is longer than ${large.join('.')} (${high})`;
    context[severity](path, `${names}: ${why}`);
  }
}

/** Within one block defaults count; between blocks only what somebody wrote. Nobody is told of a timeout they left out. */
const PRESETS: Pick<Settings, Block> = {
  health: { interval: DEFAULTS.health.interval },
  ejection: DEFAULTS.ejection,
  breaker: DEFAULTS.breaker,
  webSocket: DEFAULTS.webSocket,
};

function durationOf(settings: Pick<Settings, Block>, [block, key]: Key): string | number | undefined {
  const values = settings[block];
  if (typeof values !== 'object') return undefined;
  const value: unknown = Object.getOwnPropertyDescriptor(values, key)?.value;
  // A hedge may be a percentile.
  return typeof value === 'number' || (typeof value === 'string' && /^[0-9]/.test(value)) ? value : undefined;
}

/** The nearest layer that writes a setting. */
export function layerOf(
  context: CheckContext,
  layers: Layers,
  [block, key]: readonly [block: string, key: string],
): SourcePath | undefined {
  return layers.find((layer) => context.entriesOf([...layer, block]).has(key));
}
