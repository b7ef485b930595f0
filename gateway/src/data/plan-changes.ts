import { addressText } from '../address-text.ts';
import { changedFields } from './changed-fields.ts';
import type { BackendPlan, ListenerPlan, Plan, RoutePlan, ServicePlan } from './plan.ts';
import type { PlanChange } from './port.ts';

/**
 * What differs between two plans: listeners (known by kind and host:port), services, backends (by service and name), routes (by
 * name), settings, in that order; within each what was removed or changed in the order of `before`, then what was added in
 * the order of `after`. Empty exactly when the plans are deepEqualPlan. Shows no secrets.
 */
export function planChanges(before: Plan, after: Plan): readonly PlanChange[] {
  if (before === after) return [];
  const listeners = [named(before.listeners, listenerName), named(after.listeners, listenerName)] as const;
  const services = [named(before.services, ownName), named(after.services, ownName)] as const;
  const routes = [named(before.routes, ownName), named(after.routes, ownName)] as const;
  return [
    ...compare<ListenerPlan>('listener', ...listeners),
    ...compare<ServicePlan>('service', ...services, changedInService),
    ...compare<BackendPlan>('backend', backendsOf(services[0]), backendsOf(services[1])),
    ...compare<RoutePlan>('route', ...routes),
    ...explainToken(before.explainTokenSha256, after.explainTokenSha256),
    ...order('listeners', ...listeners),
    ...order('services', ...services),
    ...order('routes', ...routes),
  ];
}

type Named<T> = ReadonlyMap<string, T>;

function compare<T extends object>(
  what: PlanChange['what'],
  before: Named<T>,
  after: Named<T>,
  detailOf: (before: T, after: T) => string = changedFields,
): readonly PlanChange[] {
  const changes: PlanChange[] = [];
  for (const [name, old] of before) {
    const now = after.get(name);
    if (now === old) continue;
    const detail = now === undefined ? '' : detailOf(old, now);
    if (now === undefined) changes.push({ what, name, change: 'removed', detail });
    else if (detail !== '') changes.push({ what, name, change: 'changed', detail });
  }
  for (const name of after.keys()) {
    if (!before.has(name)) changes.push({ what, name, change: 'added', detail: '' });
  }
  return changes;
}

/** What changed in the service itself; its backends are compared one by one. */
function changedInService(before: ServicePlan, after: ServicePlan): string {
  const { backends: old, ...ownBefore } = before;
  const { backends: now, ...ownAfter } = after;
  const fields = changedFields(ownBefore, ownAfter);
  if (isSameOrder(named(old, ownName), named(now, ownName))) return fields;
  const moved = 'backends in another order';
  return fields === '' ? moved : `${fields}, ${moved}`;
}

function explainToken(before: string | undefined, after: string | undefined): readonly PlanChange[] {
  if (before === after) return [];
  const change = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed';
  return [{ what: 'setting', name: 'explainTokenSha256', change, detail: '' }];
}

/** The order of routes decides between equals, and all of them are shown in their order. */
function order(name: string, before: Named<object>, after: Named<object>): readonly PlanChange[] {
  if (isSameOrder(before, after)) return [];
  return [{ what: 'setting', name, change: 'changed', detail: 'in another order' }];
}

/** Of what both hold. */
function isSameOrder(before: Named<object>, after: Named<object>): boolean {
  const kept = [...before.keys()].filter((name) => after.has(name));
  let at = 0;
  for (const name of after.keys()) {
    if (before.has(name) && name !== kept[at++]) return false;
  }
  return true;
}

/** By name; what shares one (listeners on a port that the system chooses may) is counted. */
function named<T>(items: readonly T[], nameOf: (item: T) => string): Named<T> {
  const byName = new Map<string, T>();
  for (const item of items) {
    const base = nameOf(item);
    let name = base;
    for (let count = 2; byName.has(name); count++) name = `${base} #${count}`;
    byName.set(name, item);
  }
  return byName;
}

function backendsOf(services: Named<ServicePlan>): Named<BackendPlan> {
  const byName = new Map<string, BackendPlan>();
  for (const [service, { backends }] of services) {
    for (const [name, backend] of named(backends, ownName)) byName.set(`${service} ${name}`, backend);
  }
  return byName;
}

function ownName(item: { readonly name: string }): string {
  return item.name;
}

/** One of another kind is another listener. */
function listenerName({ kind, host, port }: ListenerPlan): string {
  return `${kind === 'http' ? '' : `${kind} `}${addressText(host, port)}`;
}
