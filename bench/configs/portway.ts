/** What Portway's config depends on. */
export interface PortwayOptions {
  readonly port: number;
  readonly adminPort: number;
  readonly backendPorts: readonly number[];
  /** 1 is a single `/`; more are that many prefixes /r0, /r1, … */
  readonly routes: number;
  /** Largest request body, as the config writes it, e.g. `10MiB`. */
  readonly maxBodySize: string;
}

/** A Portway config with every default left on: health checks, breaker, ejection, retries, metrics, limits. */
export function portwayConfig(options: PortwayOptions): string {
  const backends = options.backendPorts.map((port) => `      - http://127.0.0.1:${port}`);
  const paths =
    options.routes === 1 ? ['/'] : Array.from({ length: options.routes }, (_, index) => `/r${index}`);
  const routes = paths.map(
    (path) => `  - { path: ${path}, service: app, maxBodySize: ${options.maxBodySize} }`,
  );
  return `listeners:
  - address: 127.0.0.1:${options.port}
admin:
  address: 127.0.0.1:${options.adminPort}
services:
  app:
    backends:
${backends.join('\n')}
    balance: p2c
    health: { path: /health, interval: 5s }
routes:
${routes.join('\n')}
`;
}
