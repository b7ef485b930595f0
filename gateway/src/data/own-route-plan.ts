import type { RoutePlan } from './plan.ts';

const UNCHANGED = { set: {}, remove: [] };

/** The plan of a route that is a listener's own: nobody has configured it, and what it says is what `given` says. */
export function ownRoutePlan(
  given: Pick<RoutePlan, 'name' | 'service' | 'webSocket'> & Partial<RoutePlan>,
): RoutePlan {
  return {
    host: undefined,
    path: '/',
    methods: [],
    headers: [],
    rewrite: undefined,
    timeouts: {},
    retry: undefined,
    concurrency: undefined,
    priority: 'normal',
    maxBodyBytes: 0,
    requestHeaders: UNCHANGED,
    responseHeaders: UNCHANGED,
    ...given,
  };
}
