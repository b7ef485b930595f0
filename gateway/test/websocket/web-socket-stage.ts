import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { TunnelCounters } from '../../src/data/tunnel/tunnel-counters.ts';
import type { GatewayOptions } from '../../src/gateway.ts';
import type { RawConnection } from '../support/raw-backend.ts';
import type { RawClient } from '../support/raw-client.ts';
import { type PlanChanges, type Stage, stage } from '../support/stage.ts';
import { ASK, framesOf, type ReadFrame, SWITCH } from './frames.ts';

/** One WebSocket through the gateway, with a raw end on either side. */
export interface RawSocketPair {
  readonly client: RawClient;
  readonly server: RawConnection;
  /** What each side has been sent since the upgrade. */
  clientFrames(): readonly ReadFrame[];
  serverFrames(): readonly ReadFrame[];
}

/** Answers each request for an upgrade with 101 and leaves all later bytes alone. */
export const upgrading = (connection: RawConnection, data: string): void => {
  if (connection.received === data) connection.socket.write(SWITCH, 'latin1');
};

export function webSocketStage(
  t: TestContext,
  changes: PlanChanges = {},
  options: GatewayOptions = {},
): Promise<Stage> {
  return stage(t, upgrading, changes, options);
}

export async function openPair({ backend, client }: Stage): Promise<RawSocketPair> {
  const before = backend.connections.length;
  const browser = await client();
  const answer = await browser.send(ASK).contains('\r\n\r\n');
  assert.match(answer, /^HTTP\/1\.1 101 /);
  await backend.until(({ connections }) => connections.length > before);
  const server = backend.connections.at(-1);
  assert.ok(server);
  const at = { client: browser.received.length, server: server.received.length };
  return {
    client: browser,
    server,
    clientFrames: () => framesOf(browser.received.slice(at.client)),
    serverFrames: () => framesOf(server.received.slice(at.server)),
  };
}

/** The counters of the one route. */
export function tunnelsOf({ gateway }: Stage): TunnelCounters {
  const [route] = gateway.data.routes;
  assert.ok(route);
  return route.tunnels;
}
