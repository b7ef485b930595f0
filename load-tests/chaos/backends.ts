/** Which demo backends there are to break, and where: the demo's own map, moved by the same environment. */
import { demoHost, type Env } from '../traffic/environment.ts';
import type { Service } from '../traffic/routes.ts';

export interface Backend {
  readonly service: Service;
  /** `db-1`: short, and the same wherever the demo listens. */
  readonly label: string;
  /** Where its knobs are, and what the gateway calls it: `127.0.0.1:3001`. */
  readonly address: string;
}

const PORTS: Readonly<Record<Service, readonly number[]>> = {
  web: [3000],
  db: [3001, 3011, 3021],
  files: [3002, 3012],
  chat: [3003, 3013],
};

/**
 * The backends of each service that has more than one, by DB_HOST_1, DB_PORT_1 and so on. A single one cannot fail
 * without being seen: `web` is left out unless WEB_PORT_2 or WEB_HOST_2 is set.
 */
export function readBackends(env: Env): ReadonlyMap<Service, readonly Backend[]> {
  const found = new Map<Service, readonly Backend[]>();
  for (const service of Object.keys(PORTS) as Service[]) {
    const backends = ofService(service, env);
    if (backends.length > 1) found.set(service, backends);
  }
  return found;
}

function ofService(service: Service, env: Env): Backend[] {
  const backends: Backend[] = [];
  for (let number = 1; ; number++) {
    const port = variable(env, service, 'PORT', number);
    const host = variable(env, service, 'HOST', number);
    const preset = PORTS[service][number - 1];
    if (port === undefined && host === undefined && preset === undefined) return backends;
    // one more instance in a container of its own listens where the first does
    const address = `${host ?? demoHost(env)}:${port ?? preset ?? PORTS[service][0]}`;
    backends.push({ service, label: `${service}-${number}`, address });
  }
}

/** WEB_PORT is the first of web, which the demo has once; DB_PORT_1 the first of db. */
function variable(env: Env, service: Service, what: 'HOST' | 'PORT', number: number): string | undefined {
  const name = `${service.toUpperCase()}_${what}`;
  const plain = number === 1 && service === 'web' ? env[name] : undefined;
  return env[`${name}_${number}`] || plain || undefined;
}
