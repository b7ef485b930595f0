import type { FailureCode } from '../errors.ts';
import type { DataStatus, ExplainQuestion, Explanation, ServiceStatus } from './port.ts';
import { routeStatus } from './report.ts';
import type { Route } from './route.ts';
import { candidateOf, takesHeaders, takesMethod } from './route-rule.ts';
import type { Router } from './router.ts';
import { canonicalHost, canonicalPath, joinRewrite } from './target.ts';

/** As many routes that came close as a person reads. */
const MAX_CANDIDATES = 20;

/** Why a request would go where it goes, by the same router and the same states as a real one; without sending anything. */
export function explain(
  question: ExplainQuestion,
  router: Router<Route>,
  routes: readonly Route[],
  status: DataStatus,
): Explanation {
  const queryAt = question.target.indexOf('?');
  const raw = queryAt < 0 ? question.target : question.target.slice(0, queryAt);
  const host = canonicalHost(question.host);
  const reading = canonicalPath(raw);
  if (!reading.ok) return refused('bad_path', undefined, []);
  const facts = { method: question.method, header: (name: string) => question.headers[name] };
  const route = router.find(host, reading.path, facts);
  const candidates = candidatesFor(routes, route, host, reading.path, facts);
  if (reading.decoded !== undefined && router.find(host, reading.decoded, facts) !== route)
    return refused('ambiguous_path', reading.path, candidates);
  if (route === undefined) {
    const allowed = router.allowedMethods(host, reading.path, facts);
    return refused(allowed.length > 0 ? 'method_not_allowed' : 'no_route', reading.path, candidates);
  }
  const service = status.services.find(({ name }) => name === route.service.name);
  const { rewrite, prefixLength } = route;
  const sentPath = rewrite === undefined ? reading.path : joinRewrite(reading.path, prefixLength, rewrite);
  const none = service !== undefined && service.eligible === 0 && !service.failOpen;
  return {
    path: reading.path,
    refused: none ? 'no_backend' : undefined,
    route: routeStatus(route),
    candidates,
    sentPath: queryAt < 0 ? sentPath : sentPath + question.target.slice(queryAt),
    service,
    choice: service === undefined ? undefined : choiceOf(service),
  };
}

function refused(
  code: FailureCode,
  path: string | undefined,
  candidates: Explanation['candidates'],
): Explanation {
  return {
    path,
    refused: code,
    route: undefined,
    candidates,
    sentPath: undefined,
    service: undefined,
    choice: undefined,
  };
}

function candidatesFor(
  routes: readonly Route[],
  chosen: Route | undefined,
  host: string,
  path: string,
  facts: { readonly method: string; header(name: string): string | undefined },
): Explanation['candidates'] {
  const near = routes.filter(({ plan }) => isPrefix(plan.path, path));
  near.sort((a, b) => Number(b === chosen) - Number(a === chosen) || b.plan.path.length - a.plan.path.length);
  return near.slice(0, MAX_CANDIDATES).map((route) => ({
    route: route.name,
    chosen: route === chosen,
    reason: route === chosen ? 'the best of those that match' : whyNot(route, chosen, host, facts),
  }));
}

function whyNot(
  { plan }: Route,
  chosen: Route | undefined,
  host: string,
  facts: { readonly method: string; header(name: string): string | undefined },
): string {
  if (!takesHost(plan.host, host)) return `its host is ${plan.host}, not ${host === '' ? 'none' : host}`;
  const candidate = candidateOf(plan, undefined);
  if (!takesMethod(candidate, facts.method))
    return `it takes ${plan.methods.join(', ')}, not ${facts.method}`;
  if (!takesHeaders(candidate, facts)) {
    const wanted = plan.headers.map(({ name, value }) => (value === undefined ? name : `${name}: ${value}`));
    return `it needs ${wanted.join(' and ')}`;
  }
  return chosen === undefined ? 'it does not match' : `${chosen.name} is more specific`;
}

function isPrefix(prefix: string, path: string): boolean {
  if (prefix === '/' || prefix === path) return true;
  return path.startsWith(prefix) && path.charCodeAt(prefix.length) === 0x2f;
}

function takesHost(wanted: string | undefined, host: string): boolean {
  if (wanted === undefined || wanted === host) return true;
  return wanted.startsWith('*.') && host.endsWith(wanted.slice(1)) && host.length > wanted.length - 1;
}

function choiceOf(service: ServiceStatus): string {
  const eligible = service.backends.filter(({ eligible }) => eligible);
  const [only] = eligible;
  if (service.failOpen)
    return 'none is eligible, so any backend that is not taken out by the operator (whenNoneEligible: all)';
  if (only === undefined) return 'none: no backend is eligible';
  if (eligible.length === 1) return only.name;
  return `${service.balance} among ${eligible.map(({ name }) => name).join(', ')}`;
}
