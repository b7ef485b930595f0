import type {
  Http2Plan,
  HttpListenerPlan,
  ListenerPlan,
  ListenerTlsPlan,
  TcpListenerPlan,
  UdpListenerPlan,
} from '../../data/plan.ts';
import { parseListenAddress } from './addresses.ts';
import { compileForwardProxy } from './compile-forward-proxy.ts';
import { DEFAULTS } from './defaults.ts';
import { parseSniName } from './host-pattern.ts';
import { hstsValue } from './hsts.ts';
import { parseTrustedProxy } from './ip-network.ts';
import { checked } from './parsed.ts';
import { parseSize } from './quantities.ts';
import type { ListenerConfig } from './schema-listener.ts';
import type { ListenerTlsConfig } from './schema-listener-tls.ts';
import { toMs } from './settings.ts';
import type { TlsFiles } from './tls-files.ts';

const preset = DEFAULTS.listener;

/** A listener that was found good, with every default filled in. */
export function compileListener(listener: ListenerConfig, files: TlsFiles): ListenerPlan {
  switch (listener.protocol ?? preset.protocol) {
    case 'http':
      return compileHttp(listener, files);
    case 'tcp':
      return compileTcp(listener);
    case 'udp':
      return compileUdp(listener);
  }
}

function compileAddress(listener: ListenerConfig) {
  const { host, port } = checked(parseListenAddress(listener.address));
  const trusted = (listener.trustedProxies ?? []).flatMap((proxy) => checked(parseTrustedProxy(proxy)));
  return {
    host,
    port,
    trustedProxies: [...new Set(trusted)],
    maxConnections: listener.maxConnections ?? preset.maxConnections,
  };
}

function compileHttp(listener: ListenerConfig, files: TlsFiles): HttpListenerPlan {
  const { timeouts = {}, limits = {} } = listener;
  return {
    kind: 'http',
    ...compileAddress(listener),
    headTimeoutMs: toMs(timeouts.head ?? preset.timeouts.head),
    bodyTimeoutMs: toMs(timeouts.body ?? preset.timeouts.body),
    keepAliveTimeoutMs: toMs(timeouts.keepAlive ?? preset.timeouts.keepAlive),
    maxHeadBytes: checked(parseSize(limits.head ?? preset.limits.head)),
    maxTargetBytes: checked(parseSize(limits.target ?? preset.limits.target)),
    maxHeaders: limits.headers ?? preset.limits.headers,
    tls: compileTls(listener.tls, files),
    http2: compileHttp2(listener.http2 ?? listener.tls !== undefined),
    proxyProtocol: listener.proxyProtocol ?? false,
    redirectToHttpsPort: compileRedirect(listener.redirectToHttps),
    tunnel: compileForwardProxy(listener.tunnel),
  };
}

function compileTls(tls: ListenerTlsConfig | undefined, files: TlsFiles): ListenerTlsPlan | undefined {
  if (tls === undefined) return undefined;
  return {
    certificates: tls.certificates.map((pair) => files.certificate(pair)),
    clientCa: tls.clientCa === undefined ? undefined : files.authorities(tls.clientCa),
    clientCertificate: tls.clientCa === undefined ? 'none' : (tls.clientCertificate ?? 'required'),
    minVersion: `TLSv${tls.minVersion ?? preset.tls.minVersion}`,
    hsts: hstsValue(tls.hsts ?? preset.tls.hsts),
  };
}

function compileHttp2(http2: NonNullable<ListenerConfig['http2']>): Http2Plan | undefined {
  if (http2 === false) return undefined;
  const { maxStreams, initialWindow } = http2 === true ? {} : http2;
  return {
    maxStreams: maxStreams ?? preset.http2.maxStreams,
    initialWindowBytes: checked(parseSize(initialWindow ?? preset.http2.initialWindow)),
  };
}

function compileRedirect(redirect: ListenerConfig['redirectToHttps']): number | undefined {
  if (redirect === undefined || redirect === false) return undefined;
  return redirect === true ? preset.httpsPort : redirect;
}

function compileTcp(listener: ListenerConfig): TcpListenerPlan {
  return {
    kind: 'tcp',
    ...compileAddress(listener),
    service: listener.service,
    sniServices: Object.entries(listener.sni ?? {}).map(([name, service]) => ({
      name: checked(parseSniName(name)),
      service,
    })),
    proxyProtocol: listener.proxyProtocol ?? false,
    helloTimeoutMs: toMs(listener.timeouts?.hello ?? preset.timeouts.hello),
    idleTimeoutMs: toMs(listener.timeouts?.idle ?? preset.timeouts.tcpIdle),
  };
}

/** @throws Error without a service, which the check asks for */
function compileUdp(listener: ListenerConfig): UdpListenerPlan {
  if (listener.service === undefined) throw new Error('compiled before it was checked: no service');
  return {
    kind: 'udp',
    ...compileAddress(listener),
    service: listener.service,
    idleTimeoutMs: toMs(listener.timeouts?.idle ?? preset.timeouts.udpIdle),
    maxAnswers: listener.maxAnswers ?? preset.maxAnswers,
  };
}
