import { createHash } from 'node:crypto';
import type { ForwardProxyPlan } from '../../data/plan.ts';
import { DEFAULTS } from './defaults.ts';
import { checked } from './parsed.ts';
import type { ListenerConfig } from './schema-listener.ts';
import { toMs } from './settings.ts';
import { parseTunnelTarget } from './tunnel-target.ts';

const preset = DEFAULTS.listener.tunnel;

/** What a listener does as a forward proxy; undefined without `tunnel`. Passwords are kept as digests only. */
export function compileForwardProxy(tunnel: ListenerConfig['tunnel']): ForwardProxyPlan | undefined {
  if (!tunnel) return undefined;
  const { auth, timeouts = {} } = tunnel;
  return {
    allow: tunnel.allow.map((target) => checked(parseTunnelTarget(target))),
    auth:
      auth === undefined
        ? undefined
        : Object.entries(auth).map(([name, password]) => ({ name, sha256: sha256(`${name}:${password}`) })),
    maxTunnels: tunnel.maxTunnels ?? preset.maxTunnels,
    connectTimeoutMs: toMs(timeouts.connect ?? preset.timeouts.connect),
    idleTimeoutMs: toMs(timeouts.idle ?? preset.timeouts.idle),
  };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
