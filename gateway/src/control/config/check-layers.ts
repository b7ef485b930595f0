import type { BackendAddress } from './addresses.ts';
import { parseBackendUrl } from './addresses.ts';
import type { CheckContext } from './check-context.ts';
import { DEFAULTS } from './defaults.ts';
import type { Draft } from './draft.ts';
import type { Layer } from './layer.ts';
import { layerOfScheme, layerOfService, serviceSettings } from './layer.ts';
import { checked } from './parsed.ts';
import type { ServiceConfig } from './schema-service.ts';
import type { Settings } from './settings.ts';
import { probeType } from './settings.ts';
import type { SourcePath } from './source-node.ts';

/** What does not go together of services' backends, what they speak, and who leads to them. */
export function checkLayers(context: CheckContext): void {
  const { services = {}, routes = [], listeners = [] } = context.draft;
  for (const [name, service] of Object.entries(services))
    if (service !== undefined) checkService(context, name, service);
  for (const [index, route] of routes.entries())
    checkUse(context, ['routes', index, 'service'], route?.service, 'http');
  for (const [index, listener] of listeners.entries()) {
    const kind = listener?.protocol;
    if (kind !== 'tcp' && kind !== 'udp') continue;
    checkUse(context, ['listeners', index, 'service'], listener?.service, kind);
    for (const [name, service] of Object.entries(listener?.sni ?? {}))
      checkUse(context, ['listeners', index, 'sni', name], service, kind);
  }
}

const LEADS_THERE: Readonly<Record<Layer, string>> = {
  http: 'routes lead there',
  tcp: 'a listener with protocol: tcp leads there',
  udp: 'a listener with protocol: udp leads there',
};

function checkUse(context: CheckContext, path: SourcePath, name: string | undefined, wanted: Layer): void {
  const { services } = context.draft;
  if (name === undefined || services === undefined || !Object.hasOwn(services, name)) return;
  const layer = layerOfService(services[name]);
  if (layer === wanted || context.isBroken(['services', name, 'backends'])) return;
  context.error(path, `service: ${name} is ${nounOf(layer)} service; ${LEADS_THERE[layer]}`);
}

const nounOf = (layer: Layer): string => `${layer === 'http' ? 'an' : 'a'} ${layer}`;

function checkService(context: CheckContext, name: string, service: Draft<ServiceConfig>): void {
  const path: SourcePath = ['services', name];
  const layer = layerOfService(service);
  for (const { scheme, name: backend, path: at } of backendsOf(service, path)) {
    if (layerOfScheme(scheme) === layer) continue;
    context.error(
      at,
      `${backend} is ${scheme}, and this is ${nounOf(layer)} service: all its backends are of one kind`,
    );
  }
  const settings = serviceSettings(service, context.draft.defaults ?? {});
  if (layer === 'http') checkProtocol(context, name, service, settings);
  else checkLayer4(context, name, layer, service, settings);
  if (layer !== 'tcp' && service.sendProxyProtocol) {
    const why =
      'only connections of a tcp service start with a PROXY header; http backends get X-Forwarded-For';
    context.errorAtKey([...path, 'sendProxyProtocol'], `sendProxyProtocol: ${why}`);
  }
}

interface Listed extends BackendAddress {
  readonly path: SourcePath;
}

function backendsOf(service: Draft<ServiceConfig>, base: SourcePath): readonly Listed[] {
  return (service.backends ?? []).flatMap((backend, index) => {
    const url = typeof backend === 'string' ? backend : backend?.url;
    if (url === undefined) return [];
    const inner = typeof backend === 'string' ? [] : ['url'];
    return [{ ...checked(parseBackendUrl(url)), path: [...base, 'backends', index, ...inner] }];
  });
}

const SCHEMES = { h2: 'https', h2c: 'http' } as const;

function checkProtocol(
  context: CheckContext,
  name: string,
  service: Draft<ServiceConfig>,
  settings: Settings,
): void {
  const path: SourcePath = ['services', name];
  const protocol = settings.protocol ?? DEFAULTS.protocol;
  if (protocol !== 'http1') {
    const wanted = SCHEMES[protocol];
    for (const { scheme, path: at, name: backend } of backendsOf(service, path)) {
      if (scheme !== 'http' && scheme !== 'https') continue;
      if (scheme === wanted) continue;
      const other = protocol === 'h2' ? 'h2c' : 'h2';
      const how = protocol === 'h2' ? 'HTTP/2 over TLS' : 'HTTP/2 in the clear';
      context.error(
        at,
        `${backend}: protocol ${protocol} is ${how}, so its URL starts with ${wanted}://; did you mean that, or protocol: ${other}?`,
      );
    }
  } else if (settings.health && probeType(settings.health) === 'grpc') {
    const own = service.health === undefined ? ['defaults', 'health'] : [...path, 'health'];
    context.error(
      own,
      `health: a grpc probe needs HTTP/2, and ${name} speaks http1; add protocol: h2 or h2c`,
    );
  }
}

/** What a service of connections or datagrams has no use for. */
const NO_USE = ['sticky', 'protocol', 'tls'] as const;
const NO_USE_TIMEOUTS = ['head', 'idle', 'total', 'eventStream'] as const;

function checkLayer4(
  context: CheckContext,
  name: string,
  layer: 'tcp' | 'udp',
  service: Draft<ServiceConfig>,
  settings: Settings,
): void {
  const path: SourcePath = ['services', name];
  const written = context.entriesOf(path);
  for (const key of NO_USE) {
    if (!written.has(key)) continue;
    const why = key === 'tls' ? ': TLS is passed through as it comes' : '';
    context.warningAtKey([...path, key], `${key}: has no effect in a ${layer} service${why}`);
  }
  for (const key of NO_USE_TIMEOUTS) {
    if (!context.entriesOf([...path, 'timeouts']).has(key)) continue;
    const instead = key === 'idle' ? '; the listener has timeouts.idle' : '';
    context.warningAtKey([...path, 'timeouts', key], `${key}: has no effect in a ${layer} service${instead}`);
  }
  const { hash } = settings;
  if (settings.balance === 'hash' && hash !== undefined && hash.clientIp !== true) {
    const at = service.hash === undefined ? ['defaults', 'hash'] : [...path, 'hash'];
    context.error(
      at,
      `hash: ${name} is a ${layer} service, which knows nothing of its clients but their address; did you mean hash: { clientIp: true }?`,
    );
  }
  const type = settings.health ? probeType(settings.health) : undefined;
  if (type === 'grpc')
    context.error([...path, 'health'], `health: a grpc probe needs a service with protocol: h2 or h2c`);
}
