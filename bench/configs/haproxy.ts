import type { Protocol } from '../cases.ts';
import type { Certificate } from '../certificate.ts';

/** What an HAProxy gateway's config depends on. */
export interface HaproxyOptions {
  readonly port: number;
  /** HAProxy wants two descriptors for each, and does not start when it cannot have them. */
  readonly maxConnections: number;
  readonly backendPorts: readonly number[];
  /** File of `prefix backend` lines for many routes; undefined sends every path to one backend. */
  readonly mapFile: string | undefined;
  readonly protocol: Exclude<Protocol, 'udp'>;
  /** For https and h2. */
  readonly certificate: Certificate;
}

/** Lines of a map with so many prefixes: HAProxy's way to hold many routes (`map_beg` is a prefix tree). */
export function haproxyMap(routes: number): string {
  return Array.from({ length: routes }, (_, index) => `/r${index}/ app`).join('\n');
}

const HTTP_DEFAULTS = `defaults
  mode http
  timeout connect 2s
  timeout client 60s
  timeout server 60s
  timeout tunnel 300s
  timeout http-request 10s
  timeout http-keep-alive 75s
  option http-keep-alive
  no log
`;

/** Config of HAProxy as a gateway: one thread, buffers of the default size, no splicing, keep-alive on both sides. */
export function haproxyConfig(options: HaproxyOptions): string {
  const { protocol, certificate } = options;
  if (protocol === 'tcp') return tcpConfig(options);
  const secure = protocol === 'https' || protocol === 'h2';
  const alpn = protocol === 'h2' ? 'h2,http/1.1' : 'http/1.1';
  const tls = secure ? ` ssl crt ${certificate.both} alpn ${alpn} ssl-min-ver TLSv1.2` : '';
  const servers = options.backendPorts.map((port, index) => `  server b${index} 127.0.0.1:${port}`);
  const use =
    options.mapFile === undefined
      ? '  default_backend app'
      : `  use_backend %[path,map_beg(${options.mapFile},none)]\n  default_backend none`;
  return `global
  nbthread 1
  maxconn ${options.maxConnections}
  nosplice

${HTTP_DEFAULTS}
frontend in
  bind 127.0.0.1:${options.port} backlog 4096${tls}
  option forwardfor
  unique-id-format %{+X}o\\ %ci:%cp_%fi:%fp_%Ts_%rt:%pid
  unique-id-header X-Request-Id
  http-request set-header X-Forwarded-Proto ${secure ? 'https' : 'http'}
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-request add-header Via "1.1 haproxy"
  http-response add-header Via "1.1 haproxy"
  http-response set-header X-Request-Id %[unique-id]
${use}

backend app
  balance random(2)
  http-reuse always
${servers.join('\n')}

backend none
  http-request return status 404
`;
}

/** The same as a relay of TCP: buffers of the default size, no splicing. */
function tcpConfig({ port, backendPorts, maxConnections }: HaproxyOptions): string {
  const servers = backendPorts.map((each, index) => `  server b${index} 127.0.0.1:${each}`);
  return `global
  nbthread 1
  maxconn ${maxConnections}
  nosplice

defaults
  mode tcp
  timeout connect 2s
  timeout client 300s
  timeout server 300s
  no log

frontend in
  bind 127.0.0.1:${port} backlog 4096
  default_backend app

backend app
  balance random(2)
${servers.join('\n')}
`;
}
