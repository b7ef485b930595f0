import type { Protocol } from '../cases.ts';
import type { Certificate } from '../certificate.ts';

/** What Portway's config depends on. */
export interface PortwayOptions {
  readonly port: number;
  readonly adminPort: number;
  readonly backendPorts: readonly number[];
  /** 1 is a single `/`; more are that many prefixes /r0, /r1, … */
  readonly routes: number;
  /** Largest request body, as the config writes it, e.g. `10MiB`. */
  readonly maxBodySize: string;
  /** Left out: http. */
  readonly protocol?: Protocol;
  /** For https and h2. */
  readonly certificate?: Certificate;
}

/** A Portway config with every default left on: health checks, breaker, ejection, retries, metrics, limits. */
export function portwayConfig(options: PortwayOptions): string {
  const { protocol = 'http' } = options;
  const scheme = protocol === 'tcp' || protocol === 'udp' ? protocol : 'http';
  const backends = options.backendPorts.map((port) => `      - ${scheme}://127.0.0.1:${port}`);
  const health = scheme === 'http' ? '\n    health: { path: /health, interval: 5s }' : '';
  return `listeners:
  - address: 127.0.0.1:${options.port}${listener(protocol, options.certificate)}
admin:
  address: 127.0.0.1:${options.adminPort}
services:
  app:
    backends:
${backends.join('\n')}
    balance: p2c${health}
${scheme === 'http' ? routes(options) : ''}`;
}

/** The further keys of the listener. */
function listener(protocol: Protocol, certificate: Certificate | undefined): string {
  switch (protocol) {
    case 'http':
    case 'websocket':
      return '';
    case 'https':
    case 'h2':
      return `
    tls: { certificates: [{ cert: ${certificate?.cert}, key: ${certificate?.key} }] }
    http2: ${protocol === 'h2'}`;
    case 'tcp':
    case 'udp':
      return `
    protocol: ${protocol}
    service: app`;
  }
}

function routes({ routes: count, maxBodySize }: PortwayOptions): string {
  const paths = count === 1 ? ['/'] : Array.from({ length: count }, (_, index) => `/r${index}`);
  const lines = paths.map((path) => `  - { path: ${path}, service: app, maxBodySize: ${maxBodySize} }`);
  return `routes:\n${lines.join('\n')}\n`;
}
