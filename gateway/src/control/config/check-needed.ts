import type { CheckContext } from './check-context.ts';
import { DEFAULTS } from './defaults.ts';
import type { Draft } from './draft.ts';
import type { ListenerConfig } from './schema-listener.ts';

/** What the listeners make necessary: one that serves requests needs routes, and whatever leads to a service services. */
export function checkNeeded(context: CheckContext): void {
  if (context.root.kind !== 'map') return;
  const written = context.entriesOf([]);
  const listeners = listenersOf(context);
  const isServing = listeners.some((listener) => isHttp(listener) && !answersAlone(listener));
  const needsServices = isServing || written.has('routes') || !listeners.every(isHttp);
  if (needsServices && !written.has('services')) context.error([], 'the config: services is missing');
  if (isServing && !written.has('routes')) context.error([], 'the config: routes is missing');
  if (!written.has('routes') || listeners.some(isHttp) || context.isBroken(['listeners'])) return;
  context.warningAtKey(['routes'], 'routes: no listener is of protocol: http, so no request takes them');
}

/** One whose kind cannot be told is left out: nothing is asked for because of it. */
function listenersOf(context: CheckContext): readonly Draft<ListenerConfig>[] {
  // the one that is there by default
  if (!context.entriesOf([]).has('listeners')) return [{}];
  return (context.draft.listeners ?? []).flatMap((listener, index) => {
    const isUnknown =
      listener?.protocol === undefined && context.entriesOf(['listeners', index]).has('protocol');
    return listener === undefined || isUnknown ? [] : [listener];
  });
}

function isHttp(listener: Draft<ListenerConfig>): boolean {
  return (listener.protocol ?? DEFAULTS.listener.protocol) === 'http';
}

/** A redirect and a forward proxy need nothing behind them. */
function answersAlone({ redirectToHttps = false, tunnel = false }: Draft<ListenerConfig>): boolean {
  return redirectToHttps !== false || tunnel !== false;
}
