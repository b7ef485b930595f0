import type { CheckContext } from './check-context.ts';
import { DEFAULTS } from './defaults.ts';
import type { Settings } from './settings.ts';
import { effectiveSettings, toMs } from './settings.ts';
import type { SourcePath } from './source-node.ts';
import { offsetOf } from './source-node.ts';

/** Settings of services (over the defaults) that contradict each other. */
export function checkSettings(context: CheckContext): void {
  const defaults = context.draft.defaults ?? {};
  const cookies = new Map<string, string>();
  for (const [name, own] of Object.entries(context.draft.services ?? {})) {
    const settings = effectiveSettings(own ?? {}, defaults);
    const base: SourcePath = ['services', name];
    checkHash(context, base, own ?? {}, settings);
    checkCookie(context, name, settings, cookies);
    checkOrders(context, base, settings);
    if (settings.health && settings.health.type === 'tcp' && settings.health.path !== undefined) {
      context.errorAtKey(whereIs(context, base, ['health', 'path']), 'path: a tcp probe asks for nothing');
    }
  }
  for (const [index, route] of (context.draft.routes ?? []).entries()) {
    if (route?.timeouts !== undefined) checkOrders(context, ['routes', index], { timeouts: route.timeouts });
  }
}

type Block = 'pool' | 'timeouts' | 'retry' | 'health' | 'ejection' | 'breaker';
type Key = readonly [Block, string];

/** Each pair says: the first, when it is written out, must not exceed the second. */
const ORDERS: readonly (readonly [small: Key, large: Key, why: string])[] = [
  [['pool', 'queueTimeout'], ['timeouts', 'total'], 'a request would be given up while it still waits'],
  [['timeouts', 'connect'], ['timeouts', 'total'], 'it can never run out'],
  [['timeouts', 'head'], ['timeouts', 'total'], 'it can never run out'],
  [['retry', 'perTryTimeout'], ['timeouts', 'total'], 'it can never run out'],
  [['health', 'timeout'], ['health', 'interval'], 'a probe would outlast its turn'],
  [['ejection', 'baseTime'], ['ejection', 'maxTime'], 'the first would be longer than the longest'],
  [['breaker', 'openTime'], ['breaker', 'maxOpenTime'], 'the first would be longer than the longest'],
];

function checkOrders(context: CheckContext, base: SourcePath, settings: Settings): void {
  for (const [small, large, why] of ORDERS) {
    const low = durationOf(settings, small);
    const high = durationOf(settings, large) ?? presetOf(small, large);
    if (low === undefined || high === undefined || toMs(high) === 0 || toMs(low) <= toMs(high)) continue;
    // Said where the nearer of the two is written.
    const own = whereIs(context, base, small);
    const path = own[0] === base[0] ? own : whereIs(context, base, large);
    const names = `${small.join('.')} (${low}) is longer than ${large.join('.')} (${high})`;
    context.error(path[0] === base[0] ? path : own, `${names}: ${why}`);
  }
}

function durationOf(settings: Pick<Settings, Block>, [block, key]: Key): string | number | undefined {
  const values = settings[block];
  if (typeof values !== 'object') return undefined;
  const value: unknown = Object.getOwnPropertyDescriptor(values, key)?.value;
  return typeof value === 'string' || typeof value === 'number' ? value : undefined;
}

/** Within one block the other's default counts; between blocks only what somebody wrote. */
function presetOf(small: Key, large: Key): string | number | undefined {
  const { health, ejection, breaker } = DEFAULTS;
  return small[0] === large[0] ? durationOf({ health, ejection, breaker }, large) : undefined;
}

/** The service's own value, or the one of `defaults`. */
function whereIs(context: CheckContext, base: SourcePath, key: readonly [string, string]): SourcePath {
  const own = context.entriesOf([...base, key[0]]).has(key[1]);
  return own || base[0] === 'routes' ? [...base, ...key] : ['defaults', ...key];
}

function checkHash(context: CheckContext, base: SourcePath, own: Settings, settings: Settings): void {
  const written = context.entriesOf(base);
  if (settings.balance === 'hash') {
    if (written.has('hash') || context.entriesOf(['defaults']).has('hash')) return;
    const path = own.balance === undefined ? ['defaults', 'balance'] : [...base, 'balance'];
    context.error(
      path,
      'balance: hash needs to know what to look at; add hash: { header: X-User }, or cookie, clientIp, path',
    );
    return;
  }
  const isUnknown = own.balance === undefined && written.has('balance');
  if (own.hash === undefined || isUnknown) return;
  const now = settings.balance ?? DEFAULTS.balance;
  context.errorAtKey(
    [...base, 'hash'],
    `hash: has no effect with balance: ${now}; did you mean balance: hash?`,
  );
}

/** Two services under one host would overwrite each other's cookie. */
function checkCookie(
  context: CheckContext,
  name: string,
  settings: Settings,
  cookies: Map<string, string>,
): void {
  const cookie = settings.sticky ? settings.sticky.cookie : undefined;
  if (cookie === undefined) return;
  const other = cookies.get(cookie);
  if (other === undefined) cookies.set(cookie, name);
  else {
    const path = whereIs(context, ['services', name], ['sticky', 'cookie']);
    context.problems.warning(
      offsetOf(context.root, path),
      `cookie ${cookie} is that of service ${other} too: a client of both would lose its place at each`,
    );
  }
}
