import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Backend } from '../../src/data/backend.ts';
import type { Exchange } from '../../src/data/exchange.ts';
import type { Plan } from '../../src/data/plan.ts';
import { createGateway, type Gateway, type GatewayOptions } from '../../src/gateway.ts';
import { RawClient } from '../support/raw-client.ts';

export interface GatewayInTest {
  readonly gateway: Gateway;
  readonly port: number;
  /** What became of each exchange, in the order they ended. */
  readonly ended: readonly Ended[];
  /** The backends of the first service. */
  readonly backends: readonly Backend[];
  client(): Promise<RawClient>;
}

interface Ended {
  readonly status: number;
  readonly failure: string | undefined;
  readonly attempts: number;
  readonly races: number;
  readonly replays: number;
}

/** Starts a gateway that ends with the test, together with its clients. */
export async function startGateway(
  t: TestContext,
  plan: Plan,
  options: GatewayOptions = {},
): Promise<GatewayInTest> {
  const ended: Ended[] = [];
  const exchangeEnded = ({ status, failure, attempts, races, replays }: Exchange): void => {
    ended.push({ status, failure, attempts, races, replays });
  };
  const gateway = await createGateway(plan, { observer: { exchangeEnded }, ...options });
  const clients: RawClient[] = [];
  t.after(() => {
    for (const client of clients) client.socket.destroy();
    gateway.data.destroy();
  });
  const port = gateway.data.listeners[0]?.port ?? 0;
  return {
    gateway,
    port,
    ended,
    backends: gateway.data.services[0]?.backends ?? [],
    async client() {
      const client = await RawClient.open(port);
      clients.push(client);
      return client;
    },
  };
}

/** The one backend that must be there. */
export function only(gateway: GatewayInTest): Backend {
  const [backend] = gateway.backends;
  assert.ok(backend !== undefined && gateway.backends.length === 1);
  return backend;
}

/** Looks again and again until `holds`; what is not an event can only be looked at. The runner's time limit ends it. */
export async function eventually(holds: () => boolean): Promise<void> {
  while (!holds()) await delay(2, undefined, { ref: false });
}

/** Waits until nothing is under way any more: no client, no request at a backend, no connection in use. */
export async function allQuiet({ gateway }: GatewayInTest): Promise<void> {
  const backends = gateway.data.services.flatMap((service) => service.backends);
  await eventually(
    () =>
      gateway.data.listeners.every(({ connections }) => connections === 0) &&
      backends.every(
        ({ pending, agent: { stats } }) => pending + stats.active + stats.connecting + stats.queued === 0,
      ),
  );
}
