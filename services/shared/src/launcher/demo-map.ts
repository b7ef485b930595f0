/** Which ports the demo uses and who is behind each: the path-to-port map of DESIGN §5, moved by the environment. */

export type ServiceName = 'web' | 'db' | 'files' | 'chat';

export interface Instance {
  readonly service: ServiceName;
  readonly port: number;
  /** `db-3011`: how the instance calls itself. */
  readonly label: string;
}

/** One port the demo listens on. */
export interface PortNeed {
  readonly host: string;
  readonly port: number;
  /** For whom, in words. */
  readonly who: string;
  /** The environment variable that moves it. */
  readonly variable: string;
}

export interface DemoMap {
  readonly instances: readonly Instance[];
  /** In the order of the instances, the gateway and its admin API first. */
  readonly needs: readonly PortNeed[];
  /** Base URL of the gateway's admin API. */
  readonly adminUrl: string;
  /** What the gateway's embedded config reads. */
  readonly gatewayEnv: Readonly<Record<string, string>>;
}

type Env = Readonly<Record<string, string | undefined>>;

/** Services are for the gateway only. */
const LOOPBACK = '127.0.0.1';
const GATEWAY_PORT = 8080;
const ADMIN_PORT = 9901;

interface Row {
  readonly service: ServiceName;
  readonly port: number;
  /** What tells apart the variables of a service's instances: `_1` in DB_PORT_1. */
  readonly suffix: string;
}

const ROWS: readonly Row[] = [
  { service: 'web', port: 3000, suffix: '' },
  { service: 'db', port: 3001, suffix: '_1' },
  { service: 'db', port: 3011, suffix: '_2' },
  { service: 'db', port: 3021, suffix: '_3' },
  { service: 'files', port: 3002, suffix: '_1' },
  { service: 'files', port: 3012, suffix: '_2' },
  { service: 'chat', port: 3003, suffix: '_1' },
  { service: 'chat', port: 3013, suffix: '_2' },
];

/** Reads the ports from the environment; the problems, one line each, where they make no map. */
export function readDemoMap(env: Env): DemoMap | { readonly problems: readonly string[] } {
  const gateway = need(env, env['PORTWAY_HOST'] || LOOPBACK, 'PORTWAY_PORT', GATEWAY_PORT, 'the gateway');
  const adminHost = env['PORTWAY_ADMIN_HOST'] || LOOPBACK;
  const admin = need(env, adminHost, 'PORTWAY_ADMIN_PORT', ADMIN_PORT, 'the admin API');
  const rows = ROWS.map(({ service, port, suffix }) => {
    const upper = service.toUpperCase();
    const instance = suffix === '' ? '' : ` ${suffix.slice(1)}`;
    const wants = need(env, LOOPBACK, `${upper}_PORT${suffix}`, port, `the ${service} service${instance}`);
    return { service, hostVariable: `${upper}_HOST${suffix}`, wants };
  });
  const needs = [gateway, admin, ...rows.map((row) => row.wants)];
  const problems = [...badPorts(needs, env), ...doubles(needs)];
  if (problems.length > 0) return { problems };
  const gatewayEnv: Record<string, string> = {
    PORTWAY_PORT: String(gateway.port),
    PORTWAY_ADMIN_PORT: String(admin.port),
  };
  for (const { hostVariable, wants } of rows) {
    gatewayEnv[wants.variable] = String(wants.port);
    gatewayEnv[hostVariable] = wants.host;
  }
  const instances = rows.map(({ service, wants: { port } }) => ({
    service,
    port,
    label: `${service}-${port}`,
  }));
  return { instances, needs, adminUrl: `http://${admin.host}:${admin.port}`, gatewayEnv };
}

function need(env: Env, host: string, variable: string, port: number, who: string): PortNeed {
  return { host, port: Number(env[variable] || port), who, variable };
}

function badPorts(needs: readonly PortNeed[], env: Env): string[] {
  return needs
    .filter(({ port }) => !Number.isInteger(port) || port < 1 || port > 65_535)
    .map(
      ({ variable, who }) =>
        `${variable} (for ${who}) must be a port from 1 to 65535, not '${env[variable] ?? ''}'`,
    );
}

function doubles(needs: readonly PortNeed[]): string[] {
  return needs.flatMap((need, index) => {
    const earlier = needs.slice(0, index).find(({ port }) => port === need.port);
    if (earlier === undefined) return [];
    return [
      `port ${need.port} is wanted twice, for ${earlier.who} (${earlier.variable}) and for ${need.who} (${need.variable})`,
    ];
  });
}
