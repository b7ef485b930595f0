/** What the environment says of where the gateway is and how hard to press; the same names move the demo's ports. */

export type Env = Readonly<Record<string, string | undefined>>;

export interface Target {
  /** Base URL of the gateway, without a slash at its end. */
  readonly baseUrl: string;
  /** Base URL of its admin API. */
  readonly adminUrl: string;
}

/** BASE_URL and ADMIN_URL, or what PORTWAY_PORT and PORTWAY_ADMIN_PORT make of the demo's. */
export function readTarget(env: Env): Target {
  const host = demoHost(env);
  return {
    baseUrl: trimmed(env['BASE_URL'] || `http://${host}:${env['PORTWAY_PORT'] || 8080}`),
    adminUrl: trimmed(env['ADMIN_URL'] || `http://${host}:${env['PORTWAY_ADMIN_PORT'] || 9901}`),
  };
}

/** Where the demo is seen from here; another than loopback where k6 runs in a container without the host's network. */
export function demoHost(env: Env): string {
  return env['DEMO_HOST'] || '127.0.0.1';
}

/** A number above 0. Throws when the variable holds anything else. */
export function readPositive(env: Env, variable: string, fallback: number): number {
  const value = Number(env[variable] || fallback);
  if (Number.isFinite(value) && value > 0) return value;
  throw new Error(`${variable} must be a number above 0, not '${env[variable]}'`);
}

function trimmed(url: string): string {
  return url.replace(/\/+$/, '');
}
