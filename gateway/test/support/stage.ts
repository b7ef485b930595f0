import type { TestContext } from 'node:test';
import { createGateway, type Gateway, type GatewayOptions } from '../../src/gateway.ts';
import { plan } from './plans.ts';
import { RawBackend, type RawConnection } from './raw-backend.ts';
import { RawClient } from './raw-client.ts';

export interface Stage {
  readonly gateway: Gateway;
  readonly port: number;
  readonly backend: RawBackend;
  client(): Promise<RawClient>;
}

export type PlanChanges = Parameters<typeof plan>[1];

/** A gateway before one raw backend; both end with the test. */
export async function stage(
  t: TestContext,
  onData?: (connection: RawConnection, data: string, backend: RawBackend) => void,
  changes: PlanChanges = {},
  options: GatewayOptions = {},
): Promise<Stage> {
  const backend = await RawBackend.start(onData);
  const gateway = await createGateway(plan([backend.port], changes), options);
  const clients: RawClient[] = [];
  t.after(async () => {
    for (const client of clients) client.socket.destroy();
    gateway.data.destroy();
    await backend.stop();
  });
  const port = gateway.data.listeners[0]?.port ?? 0;
  return {
    gateway,
    port,
    backend,
    async client() {
      const client = await RawClient.open(port);
      clients.push(client);
      return client;
    },
  };
}

export const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** A backend that answers each complete request without body with `response`. */
export function answer(response = OK): (connection: RawConnection, data: string) => void {
  return (connection) => {
    const heads = connection.received.split('\r\n\r\n').length - 1;
    const answered = (connection as { answered?: number }).answered ?? 0;
    for (let i = answered; i < heads; i++) connection.socket.write(response, 'latin1');
    (connection as { answered?: number }).answered = heads;
  };
}
