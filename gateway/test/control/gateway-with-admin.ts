import type { TestContext } from 'node:test';
import type { ServicePlan } from '../../src/data/plan.ts';
import type { BackendStatus, DataStatus } from '../../src/data/port.ts';
import { createGateway, type Gateway } from '../../src/gateway.ts';
import { eventually } from '../relay/gateway-in-test.ts';
import type { ProbedBackend } from '../restarts/probed-backend.ts';
import { ADMIN_ONLY, plan } from '../support/plans.ts';
import { RawClient } from '../support/raw-client.ts';

export interface GatewayWithAdmin {
  readonly gateway: Gateway;
  readonly port: number;
  /** What it logged, `LEVEL MESSAGE`. */
  readonly lines: readonly string[];
  /** One request on the admin API, and its JSON. */
  admin(method: string, path: string, body?: object): Promise<{ status: number; json: Answer }>;
  status(backend: ProbedBackend): BackendStatus;
  until(backend: ProbedBackend, holds: (status: BackendStatus) => boolean): Promise<void>;
  /** The body of an answer to a new client. */
  ask(): Promise<string>;
}

interface Answer extends Partial<BackendStatus>, Partial<Omit<DataStatus, 'backends'>> {
  readonly detail?: string;
}

export const HEALTH: ServicePlan['health'] = {
  probe: {
    type: 'http',
    path: '/health',
    host: undefined,
    headers: {},
    minStatus: 200,
    maxStatus: 299,
    body: undefined,
  },
  intervalMs: 60_000,
  timeoutMs: 2_000,
  rise: 2,
  fall: 3,
};

export async function startWithAdmin(
  t: TestContext,
  backends: readonly ProbedBackend[],
  service: Partial<ServicePlan> = {},
): Promise<GatewayWithAdmin> {
  const lines: string[] = [];
  const gateway = await createGateway(
    plan(
      backends.map(({ port }) => port),
      { service: { health: HEALTH, balance: { kind: 'round-robin' }, ...service } },
    ),
    {
      control: ADMIN_ONLY,
      log: (level, message) => void lines.push(`${level} ${message}`),
    },
  );
  t.after(() => gateway.stop(0));
  const port = gateway.data.listeners[0]?.port ?? 0;
  const status = ({ port: of }: ProbedBackend): BackendStatus => {
    const all = gateway.data.status().services.flatMap(({ backends: known }) => known);
    const found = all.find(({ name }) => name === `127.0.0.1:${of}`);
    if (found === undefined) throw new Error(`there is no backend on ${of}`);
    return found;
  };
  return {
    gateway,
    port,
    lines,
    status,
    until: (backend, holds) => eventually(() => holds(status(backend))),
    async admin(method, path, body) {
      const answer = await fetch(`${gateway.adminUrl}/api/v1/${path}`, {
        method,
        headers: {
          connection: 'close',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: answer.status, json: (await answer.json()) as Answer };
    },
    async ask() {
      const client = await RawClient.open(port);
      const text = await client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n').end();
      return text.slice(text.indexOf('\r\n\r\n') + 4);
    },
  };
}
