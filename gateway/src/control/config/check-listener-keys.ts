import { parseListenAddress } from './addresses.ts';
import type { CheckContext } from './check-context.ts';
import { isLoopback } from './check-control.ts';
import { DEFAULTS } from './defaults.ts';
import type { Draft } from './draft.ts';
import type { Layer } from './layer.ts';
import { checked } from './parsed.ts';
import type { ListenerConfig } from './schema-listener.ts';
import { toMs } from './settings.ts';
import type { SourcePath } from './source-node.ts';
import { parseTunnelTarget } from './tunnel-target.ts';

/** Keys that are not of every kind of listener. */
const KEYS: readonly (readonly [key: string, of: readonly Layer[]])[] = [
  ['service', ['tcp', 'udp']],
  ['sni', ['tcp']],
  ['tls', ['http']],
  ['http2', ['http']],
  ['redirectToHttps', ['http']],
  ['tunnel', ['http']],
  ['trustedProxies', ['http', 'tcp']],
  ['proxyProtocol', ['http', 'tcp']],
  ['maxAnswers', ['udp']],
  ['limits', ['http']],
];

const TIMEOUTS: readonly (readonly [key: string, of: readonly Layer[]])[] = [
  ['head', ['http']],
  ['body', ['http']],
  ['keepAlive', ['http']],
  ['hello', ['tcp']],
  ['idle', ['tcp', 'udp']],
];

/** Why some keys make no sense where they are, and what to do instead. */
const HINTS: Readonly<Record<string, string>> = {
  'tls tcp': '; a tcp listener passes TLS through, and sni looks at its hello',
  'service http': '; routes lead from an http listener to services; did you mean protocol: tcp?',
  'sni http': '; did you mean protocol: tcp? Certificates for names are those of tls',
  'idle http': '; between requests it is keepAlive',
};

/** What is wrong within one listener. */
export function checkListenerKeys(context: CheckContext, index: number, own: Draft<ListenerConfig>): void {
  const path: SourcePath = ['listeners', index];
  const written = context.entriesOf(path);
  // an unknown protocol tells nothing of the keys beside it
  if (written.has('protocol') && own.protocol === undefined) return;
  const kind = own.protocol ?? DEFAULTS.listener.protocol;
  for (const [key, kinds] of KEYS) if (!kinds.includes(kind)) refuseKey(context, [...path, key], kind, kinds);
  for (const [key, kinds] of TIMEOUTS)
    if (!kinds.includes(kind)) refuseKey(context, [...path, 'timeouts', key], kind, kinds);
  if (kind === 'http') checkHttp(context, path, own);
  else if (!written.has('service') && !(kind === 'tcp' && written.has('sni'))) {
    const or = kind === 'tcp' ? ' (or sni)' : '';
    context.error(path, `listeners[${index}]: service is missing${or}: a ${kind} listener leads to one`);
  }
  checkSniTwice(context, [...path, 'sni'], Object.keys(own.sni ?? {}));
  if (own.proxyProtocol === true && !written.has('trustedProxies')) {
    const why = 'whoever is not in trustedProxies may send no PROXY header, and there is no trustedProxies';
    context.errorAtKey([...path, 'proxyProtocol'], `proxyProtocol: ${why}; name the proxies that send it`);
  }
}

function refuseKey(context: CheckContext, path: SourcePath, kind: Layer, kinds: readonly Layer[]): void {
  const key = String(path.at(-1));
  if (!context.entriesOf(path.slice(0, -1)).has(key)) return;
  const hint = HINTS[`${key} ${kind}`] ?? '';
  context.errorAtKey(path, `${key}: only ${kinds.join(' and ')} listeners have it${hint}`);
}

/** YAML tells `A.b` from `a.b`; TLS does not. */
function checkSniTwice(context: CheckContext, path: SourcePath, names: readonly string[]): void {
  const seen = new Map<string, string>();
  for (const name of names) {
    const other = seen.get(name.toLowerCase());
    if (other === undefined) seen.set(name.toLowerCase(), name);
    else context.errorAtKey([...path, name], `${name} is the same name as ${other}`);
  }
}

function checkHttp(context: CheckContext, path: SourcePath, own: Draft<ListenerConfig>): void {
  const written = context.entriesOf(path);
  const redirects = own.redirectToHttps !== undefined && own.redirectToHttps !== false;
  if (redirects && written.has('tls')) {
    const why = 'with tls it is https itself, and its requests would go round in circles';
    context.errorAtKey(
      [...path, 'redirectToHttps'],
      `redirectToHttps: ${why}; give it a listener without tls`,
    );
  }
  if (redirects && own.tunnel) {
    context.errorAtKey(
      [...path, 'tunnel'],
      'tunnel: redirectToHttps answers every request here; give tunnel a listener of its own',
    );
  }
  if (own.tls !== undefined) checkTls(context, [...path, 'tls'], own.tls);
  if (own.tunnel) checkTunnel(context, [...path, 'tunnel'], own, own.tunnel.allow ?? []);
}

function checkTls(
  context: CheckContext,
  path: SourcePath,
  tls: NonNullable<Draft<ListenerConfig>['tls']>,
): void {
  if (tls.clientCertificate !== undefined && !context.entriesOf(path).has('clientCa')) {
    context.errorAtKey(
      [...path, 'clientCertificate'],
      'clientCertificate: clientCa is missing, which says whose certificates are good',
    );
  }
  const { hsts } = tls;
  if (typeof hsts !== 'object' || hsts.preload !== true || context.isBroken([...path, 'hsts'])) return;
  const isLong = hsts.maxAge !== undefined && toMs(hsts.maxAge) >= 365 * 86_400_000;
  if (isLong && hsts.includeSubdomains === true) return;
  context.warningAtKey(
    [...path, 'hsts', 'preload'],
    'preload: browsers’ lists take nobody without includeSubdomains: true and a maxAge of 365d or more',
  );
}

function checkTunnel(
  context: CheckContext,
  path: SourcePath,
  own: Draft<ListenerConfig>,
  targets: readonly (string | undefined)[],
): void {
  checkLocalTargets(context, [...path, 'allow'], targets);
  if (context.entriesOf(path).has('auth') || own.address === undefined) return;
  if (isLoopback(checked(parseListenAddress(own.address)).host)) return;
  context.warning(
    path,
    `tunnel: ${own.address} is not loopback and there is no auth: whoever can connect gets through to what is allowed`,
  );
}

/** A name leads to this machine only where its address is listed too, whoever owns the name (forward-proxy/tunnel-rules.ts). */
function checkLocalTargets(
  context: CheckContext,
  path: SourcePath,
  targets: readonly (string | undefined)[],
): void {
  const hosts = targets.map((target) =>
    target === undefined ? '' : checked(parseTunnelTarget(target)).host,
  );
  if (hosts.some((host) => isLoopback(host.replace(/\/.*$/, '')))) return;
  for (const [index, host] of hosts.entries()) {
    if (host !== 'localhost' && !host.endsWith('.localhost')) continue;
    const why =
      'is this machine, and its address has to be listed too; add 127.0.0.1 (and [::1]) with the port';
    context.warning([...path, index], `allow: ${host} ${why}`);
  }
}
