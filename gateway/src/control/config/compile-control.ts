import { createHash } from 'node:crypto';
import type { AdminPlan, ControlPlan, RedisPlan } from '../control-plan.ts';
import { parseListenAddress } from './addresses.ts';
import { compileAccessLog, compileLog, compileTracing } from './compile-logs.ts';
import { DEFAULTS } from './defaults.ts';
import { checked } from './parsed.ts';
import type { Config } from './schema.ts';
import { toMs } from './settings.ts';

/** What a config that was found good says to the control plane, with every default filled in. */
export function compileControl(config: Config, configFile: string): ControlPlan {
  const { delay, timeout } = config.drain ?? {};
  return {
    admin: compileAdmin(config.admin),
    redis: compileRedis(config.redis),
    drain: {
      delayMs: toMs(delay ?? DEFAULTS.drain.delay),
      timeoutMs: toMs(timeout ?? DEFAULTS.drain.timeout),
    },
    log: compileLog(config.log),
    accessLog: compileAccessLog(config.accessLog, configFile),
    tracing: compileTracing(config),
  };
}

function compileAdmin(admin: Config['admin']): AdminPlan | undefined {
  if (admin === false) return undefined;
  const { host, port } = checked(parseListenAddress(admin?.address ?? DEFAULTS.admin.address));
  return { host, port, token: admin?.token };
}

function compileRedis(redis: Config['redis']): RedisPlan | undefined {
  if (!redis || redis.url === '') return undefined;
  return { url: redis.url, fleet: redis.fleet ?? DEFAULTS.redis.fleet };
}

/** SHA-256 (hex) of the admin token, so that the data plane knows it when it sees it and holds it nowhere. */
export function explainTokenSha256(admin: Config['admin']): string | undefined {
  if (!admin || admin.token === undefined) return undefined;
  return createHash('sha256').update(admin.token).digest('hex');
}
