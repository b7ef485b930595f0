import type { CheckContext } from './check-context.ts';
import type { Layers } from './check-orders.ts';
import { checkOrders, layerOf } from './check-orders.ts';
import { DEFAULTS } from './defaults.ts';
import { serviceSettings } from './layer.ts';
import type { Settings } from './settings.ts';
import { effectiveRoute, PROBE_KEYS, probeType } from './settings.ts';
import type { SourcePath } from './source-node.ts';
import { offsetOf } from './source-node.ts';

/** Settings of services (over the defaults) that contradict each other. */
export function checkSettings(context: CheckContext): void {
  const { defaults = {}, services = {}, routes = [] } = context.draft;
  const cookies = new Map<string, string>();
  checkProbe(context, ['defaults'], defaults.health);
  for (const [name, own] of Object.entries(services)) {
    const settings = serviceSettings(own, defaults);
    const layers = layersOf(name);
    checkHash(context, layers[0], own ?? {}, settings);
    checkCookie(context, name, settings, cookies);
    checkOrders(context, layers, settings);
    checkProbe(context, layers[0], own?.health);
    checkConcurrency(context, layers, settings.concurrency);
  }
  checkSlowPercent(context);
  for (const [index, route] of routes.entries()) {
    const service = route?.service;
    if (route === undefined || service === undefined || !Object.hasOwn(services, service)) continue;
    const base = serviceSettings(services[service], defaults);
    const layers: Layers = [['routes', index], ...layersOf(service)];
    checkOrders(context, layers, { ...effectiveRoute(route, base), concurrency: route.concurrency });
    checkConcurrency(context, [layers[0]], route.concurrency);
  }
}

const layersOf = (service: string): Layers => [['services', service], ['defaults']];

/** What only another kind of probe has, in the block that says its kind: what it would inherit is dropped. */
function checkProbe(context: CheckContext, base: SourcePath, health: Settings['health']): void {
  const type = health ? probeType(health) : undefined;
  if (type === undefined) return;
  const written = context.entriesOf([...base, 'health']);
  const does = { tcp: 'only connects', http: 'asks for a path', grpc: 'asks for a service' }[type];
  for (const other of ['http', 'grpc'] as const) {
    if (other === type) continue;
    for (const key of PROBE_KEYS[other]) {
      if (!written.has(key)) continue;
      const complaint = `${key}: ${type === 'http' ? 'an' : 'a'} ${type} probe ${does}; ${key} is for type: ${other}`;
      context.errorAtKey([...base, 'health', key], complaint);
    }
  }
}

/** Said where slowPercent is written: for `defaults`, only when no service has a slowCall beside it. */
function checkSlowPercent(context: CheckContext): void {
  const { defaults = {}, services = {} } = context.draft;
  const isAlone = ({ breaker }: Settings) => !breaker || breaker.slowCall === undefined;
  const settings = Object.entries(services).map(
    ([name, own]) => [['services', name], serviceSettings(own, defaults)] as const,
  );
  if (isAlone(defaults) && settings.every(([, effective]) => isAlone(effective))) {
    warnOfSlowPercent(context, ['defaults']);
  }
  for (const [base, effective] of settings) if (isAlone(effective)) warnOfSlowPercent(context, base);
}

function warnOfSlowPercent(context: CheckContext, base: SourcePath): void {
  if (!context.entriesOf([...base, 'breaker']).has('slowPercent')) return;
  context.warningAtKey(
    [...base, 'breaker', 'slowPercent'],
    'slowPercent: has no effect without slowCall, which says what is slow',
  );
}

/** A limit must be said, unless it is found. */
function checkConcurrency(
  context: CheckContext,
  layers: readonly SourcePath[],
  concurrency: Settings['concurrency'],
): void {
  if (!concurrency || concurrency.max !== undefined || concurrency.adaptive === true) return;
  const written = layers.filter((layer) => context.entriesOf(layer).has('concurrency'));
  const [base] = written;
  if (base === undefined || written.some((layer) => context.isBroken([...layer, 'concurrency']))) return;
  context.error([...base, 'concurrency'], 'concurrency: max is missing (or adaptive: true, which finds it)');
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
    const path = [...(layerOf(context, layersOf(name), ['sticky', 'cookie']) ?? []), 'sticky', 'cookie'];
    context.problems.warning(
      offsetOf(context.root, path),
      `cookie ${cookie} is that of service ${other} too: a client of both would lose its place at each`,
    );
  }
}
