import type { TestContext } from 'node:test';
import type { ForwardProxyPlan, Plan } from '../../src/data/plan.ts';
import type { Lookup } from '../../src/data/resolver.ts';
import type { GatewayOptions } from '../../src/gateway.ts';
import { type GatewayInTest, startGateway } from '../relay/gateway-in-test.ts';
import { plan } from '../support/plans.ts';
import { RawBackend } from '../support/raw-backend.ts';
import type { PlanChanges } from '../support/stage.ts';

export const ALL_PORTS = [{ from: 1, to: 65_535 }];

/** A forward proxy that goes to 127.0.0.1 and to hosts of `.test`. */
export function proxyPlan(changes: Partial<ForwardProxyPlan> = {}): ForwardProxyPlan {
  return {
    allow: ['127.0.0.1', '*.test'].map((host) => ({ host, ports: ALL_PORTS })),
    auth: undefined,
    maxTunnels: 100,
    connectTimeoutMs: 2_000,
    idleTimeoutMs: 60_000,
    ...changes,
  };
}

/** A gateway whose one listener is a forward proxy too; its route `/` leads to `routePort`. */
export function startProxy(
  t: TestContext,
  tunnel: Partial<ForwardProxyPlan> = {},
  options: GatewayOptions = {},
  changes: PlanChanges = {},
): Promise<GatewayInTest> {
  return startGateway(t, proxyGatewayPlan(tunnel, changes), options);
}

export function proxyGatewayPlan(tunnel: Partial<ForwardProxyPlan> = {}, changes: PlanChanges = {}): Plan {
  return plan([1], { ...changes, listener: { tunnel: proxyPlan(tunnel), ...changes.listener } });
}

/** A backend that ends with the test. */
export async function startTarget(
  t: TestContext,
  ...args: Parameters<typeof RawBackend.start>
): Promise<RawBackend> {
  const backend = await RawBackend.start(...args);
  t.after(() => backend.stop());
  return backend;
}

/** Answers look-ups from a table, each list in turn and the last one again and again; of other names nothing is known. */
export function lookupOf(table: Readonly<Record<string, readonly (readonly string[])[]>>): Lookup {
  const asked = new Map<string, number>();
  return (host, done) => {
    const answers = table[host];
    const turn = asked.get(host) ?? 0;
    asked.set(host, turn + 1);
    const addresses = answers?.[Math.min(turn, answers.length - 1)];
    setImmediate(() => {
      if (addresses === undefined) done(new Error('ENOTFOUND'), []);
      else
        done(
          null,
          addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
        );
    });
  };
}

export function connectTo(authority: string, fields = ''): string {
  return `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${fields}\r\n`;
}

export const ESTABLISHED = 'HTTP/1.1 200 Connection Established\r\n\r\n';
