import type { BackendProtocol } from '../../data/plan.ts';
import { parseBackendUrl } from './addresses.ts';
import { DEFAULTS } from './defaults.ts';
import type { Draft } from './draft.ts';
import type { ServiceConfig } from './schema-service.ts';
import type { Settings } from './settings.ts';
import { effectiveSettings, probeTiming } from './settings.ts';

/** What a service's backends take: requests, connections or datagrams. */
export type Layer = 'http' | 'tcp' | 'udp';

/** What a URL's scheme says; `http` is also that of https. */
export function layerOfScheme(scheme: 'http' | 'https' | 'tcp' | 'udp'): Layer {
  return scheme === 'https' ? 'http' : scheme;
}

/** The layer of a service's first backend that can be read. */
export function layerOfService(service: Draft<ServiceConfig> | undefined): Layer {
  for (const backend of service?.backends ?? []) {
    const url = typeof backend === 'string' ? backend : backend?.url;
    const parsed = url === undefined ? undefined : parseBackendUrl(url);
    if (parsed?.ok === true) return layerOfScheme(parsed.value.scheme);
  }
  return 'http';
}

/** How a plan names what a backend speaks. */
export function backendProtocol(
  scheme: 'http' | 'https' | 'tcp' | 'udp',
  protocol: Settings['protocol'],
): BackendProtocol {
  if (scheme === 'tcp' || scheme === 'udp') return scheme;
  return protocol === 'h2' || protocol === 'h2c' ? protocol : scheme;
}

/** A service's settings over the defaults, without those of the defaults that its layer has no use for. */
export function serviceSettings(service: Draft<ServiceConfig> | undefined, defaults: Settings): Settings {
  const { backends, sendProxyProtocol, ...own } = service ?? {};
  const layer = layerOfService(service);
  if (layer === 'http') return effectiveSettings(own, defaults);
  const health = layer4Health(layer, own.health, defaults.health);
  const { sticky, tls, protocol, health: httpHealth, ...rest } = defaults;
  // a connection lasts here, and is not shared by requests
  const pool = { ...DEFAULTS.layer4Pool, ...rest.pool };
  return effectiveSettings(own, { ...rest, health, pool });
}

/** Datagrams are not probed unless the service says so, and connections by connecting: a path for others is not theirs. */
function layer4Health(
  layer: 'tcp' | 'udp',
  own: Settings['health'],
  defaults: Settings['health'],
): Settings['health'] {
  if (defaults === false || (layer === 'udp' && own === undefined)) return false;
  return { ...probeTiming(defaults ?? {}), type: 'tcp' };
}
