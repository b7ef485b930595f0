import type { ListenerPlan, Plan, RoutePlan, ServicePlan } from '../../src/data/plan.ts';

/** The same plan, its first service changed. */
export function withService(plan: Plan, changes: Partial<ServicePlan>): Plan {
  return { ...plan, services: changeFirst(plan.services, changes) };
}

/** The same plan, its first route changed. */
export function withRoute(plan: Plan, changes: Partial<RoutePlan>): Plan {
  return { ...plan, routes: changeFirst(plan.routes, changes) };
}

/** The same plan, its first listener changed. */
export function withListener(plan: Plan, changes: Partial<ListenerPlan>): Plan {
  return { ...plan, listeners: changeFirst(plan.listeners, changes) };
}

function changeFirst<T>([first, ...others]: readonly T[], changes: Partial<T>): readonly T[] {
  return first === undefined ? [] : [{ ...first, ...changes }, ...others];
}
