import type {
  BackendPlan,
  Plan,
  RoutePlan,
  ServicePlan,
  TimeoutsPlan,
  WebSocketPlan,
} from '../../data/plan.ts';
import { parseBackendUrl } from './addresses.ts';
import { compileConcurrency } from './compile-concurrency.ts';
import { explainTokenSha256 } from './compile-control.ts';
import { compileListener } from './compile-listener.ts';
import { compileRetry } from './compile-retry.ts';
import { compileSettings } from './compile-settings.ts';
import { DEFAULTS } from './defaults.ts';
import { backendProtocol, serviceSettings } from './layer.ts';
import { checked } from './parsed.ts';
import { parseSize } from './quantities.ts';
import { compileMatch } from './route-match.ts';
import { parseRoutePath } from './route-values.ts';
import type { Config } from './schema.ts';
import type { RouteConfig } from './schema-route.ts';
import type { ServiceConfig } from './schema-service.ts';
import type { Settings } from './settings.ts';
import { effectiveRoute, toMs } from './settings.ts';
import type { TlsFiles } from './tls-files.ts';

/** Fills every default into a config that was found good. */
export function compilePlan(config: Config, tlsFiles: TlsFiles): Plan {
  const { services = {}, routes = [] } = config;
  const names = routeNames(routes);
  return {
    listeners: (config.listeners ?? [{ address: DEFAULTS.listener.address }]).map((listener) =>
      compileListener(listener, tlsFiles),
    ),
    services: Object.entries(services).map(([name, service]) =>
      compileService(name, service, config, tlsFiles),
    ),
    routes: routes.map((route, index) => compileRoute(route, names[index] ?? '', config)),
    explainTokenSha256: explainTokenSha256(config.admin),
  };
}

function compileService(
  name: string,
  service: ServiceConfig,
  config: Config,
  tlsFiles: TlsFiles,
): ServicePlan {
  const settings = serviceSettings(service, config.defaults ?? {});
  return {
    name,
    backends: service.backends.map((backend) => compileBackend(backend, settings.protocol)),
    ...compileSettings(name, settings, tlsFiles),
    sendProxyProtocol: (service.sendProxyProtocol ?? DEFAULTS.sendProxyProtocol) || undefined,
  };
}

function compileBackend(
  backend: ServiceConfig['backends'][number],
  protocol: Settings['protocol'],
): BackendPlan {
  const { url, weight = DEFAULTS.weight } = typeof backend === 'string' ? { url: backend } : backend;
  const { name, scheme, host, port } = checked(parseBackendUrl(url));
  return { name, protocol: backendProtocol(scheme, protocol), host, port, weight };
}

function compileRoute(route: RouteConfig, name: string, config: Config): RoutePlan {
  const rewrite = route.stripPrefix === true ? '/' : route.rewrite;
  return {
    name,
    ...compileMatch(route),
    service: route.service,
    rewrite: rewrite === undefined ? undefined : checked(parseRoutePath(rewrite)),
    timeouts: compileTimeouts(route.timeouts ?? {}),
    retry: compileRouteRetry(route, config),
    concurrency: compileConcurrency(route.concurrency),
    priority: route.priority ?? DEFAULTS.priority,
    webSocket: compileWebSocket({ ...config.defaults?.webSocket, ...route.webSocket }),
    maxBodyBytes: toBodyLimit(route.maxBodySize ?? config.defaults?.maxBodySize ?? DEFAULTS.maxBodySize),
    requestHeaders: compileEdit(route.requestHeaders),
    responseHeaders: compileEdit(route.responseHeaders),
  };
}

function compileRouteRetry(route: RouteConfig, config: Config): RoutePlan['retry'] {
  if (route.retry === undefined) return 'service';
  const service = serviceSettings(config.services?.[route.service], config.defaults ?? {});
  return compileRetry(effectiveRoute(route, service).retry);
}

function compileTimeouts(timeouts: NonNullable<RouteConfig['timeouts']>): Partial<TimeoutsPlan> {
  const { connect, head, idle, total, eventStream } = timeouts;
  return {
    ...(connect === undefined ? {} : { connectMs: toMs(connect) }),
    ...(head === undefined ? {} : { headMs: toMs(head) }),
    ...(idle === undefined ? {} : { idleMs: toMs(idle) }),
    ...(total === undefined ? {} : { totalMs: toMs(total) }),
    ...(eventStream === undefined ? {} : { eventStreamMs: toMs(eventStream) }),
  };
}

function compileWebSocket(own: NonNullable<RouteConfig['webSocket']>): WebSocketPlan {
  const preset = DEFAULTS.webSocket;
  return {
    maxConnections: own.maxConnections ?? preset.maxConnections,
    idleMs: toMs(own.idle ?? preset.idle),
    pingMs: toMs(own.ping ?? preset.ping),
  };
}

/** No limit is the largest number that JSON carries exactly, for a plan may travel. */
function toBodyLimit(limit: string | false): number {
  return limit === false ? Number.MAX_SAFE_INTEGER : checked(parseSize(limit));
}

function compileEdit(edit: RouteConfig['requestHeaders']): RoutePlan['requestHeaders'] {
  const remove = (edit?.remove ?? []).map((name) => name.toLowerCase());
  return { set: edit?.set ?? {}, remove: [...new Set(remove)] };
}

/** `host/path`; routes that share one add their methods, and what is still the same is counted. */
function routeNames(routes: readonly RouteConfig[]): readonly string[] {
  const bases = routes.map((route) => {
    const { host, path } = compileMatch(route);
    return `${host ?? ''}${path}`;
  });
  const counts = new Map<string, number>();
  for (const base of bases) counts.set(base, (counts.get(base) ?? 0) + 1);
  const taken = new Map<string, number>();
  return routes.map((route, index) => {
    const base = bases[index] ?? '';
    const methods =
      (counts.get(base) ?? 0) > 1 && route.methods !== undefined ? ` ${route.methods.join(',')}` : '';
    const name = `${base}${methods}`;
    const times = (taken.get(name) ?? 0) + 1;
    taken.set(name, times);
    return times === 1 ? name : `${name} #${times}`;
  });
}
