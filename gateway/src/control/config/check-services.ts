import type { BackendAddress } from './addresses.ts';
import { parseBackendUrl } from './addresses.ts';
import type { CheckContext } from './check-context.ts';
import { boundAddresses } from './check-listeners.ts';
import { checked } from './parsed.ts';
import type { SourcePath } from './source-node.ts';

interface Listed extends BackendAddress {
  readonly service: string;
  readonly path: SourcePath;
}

/** What is wrong between backends: one listed twice, one shared, one that is the gateway itself. */
export function checkBackends(context: CheckContext): void {
  const seen = new Map<string, Listed>();
  const bound = boundAddresses(context);
  for (const service of Object.keys(context.draft.services ?? {})) {
    const own = new Map<string, Listed>();
    for (const backend of backendsOf(context, service)) {
      // one may answer at the same port for both, as DNS does
      const place = `${backend.scheme === 'udp' ? 'udp ' : ''}${backend.name}`;
      const twin = own.get(place);
      const elsewhere = seen.get(place);
      if (twin !== undefined) {
        const line = context.lineOf(twin.path);
        context.error(
          backend.path,
          `${backend.name} is on line ${line} already; give it a weight there instead`,
        );
      } else if (elsewhere !== undefined) {
        const where = `service ${elsewhere.service} on line ${context.lineOf(elsewhere.path)}`;
        context.warning(
          backend.path,
          `${backend.name} is also in ${where}; each of the two counts its connections alone`,
        );
      }
      own.set(place, twin ?? backend);
      if (elsewhere === undefined) seen.set(place, backend);
      const self = bound.find(
        ({ port, host, transport }) =>
          port === backend.port &&
          transport === (backend.scheme === 'udp' ? 'udp' : 'tcp') &&
          isSelf(host, backend.host),
      );
      if (self !== undefined)
        context.warning(backend.path, `${backend.name} is this gateway itself, at ${self.text}`);
    }
    checkTlsUse(context, service, [...own.values()]);
  }
}

function backendsOf(context: CheckContext, service: string): readonly Listed[] {
  const listed: Listed[] = [];
  for (const [index, backend] of (context.draft.services?.[service]?.backends ?? []).entries()) {
    const url = typeof backend === 'string' ? backend : backend?.url;
    if (url === undefined) continue;
    const inner = typeof backend === 'string' ? [] : ['url'];
    listed.push({
      ...checked(parseBackendUrl(url)),
      service,
      path: ['services', service, 'backends', index, ...inner],
    });
  }
  return listed;
}

function isSelf(listener: string, backend: string): boolean {
  if (listener === backend) return true;
  const isLoopback = backend === 'localhost' || backend === '::1' || backend.startsWith('127.');
  return isLoopback && (listener === '::' || listener === '0.0.0.0' || backend === 'localhost');
}

function checkTlsUse(context: CheckContext, service: string, backends: readonly BackendAddress[]): void {
  const path = ['services', service, 'tls'];
  if (context.draft.services?.[service]?.tls === undefined || context.isBroken(['services', service])) return;
  if (backends.some(({ scheme }) => scheme !== 'http')) return;
  context.warningAtKey(path, `tls: no backend of ${service} is https`);
}
