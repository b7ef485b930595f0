import assert from 'node:assert/strict';
import type { Prometheus } from '../../../grafana/test/support/prometheus.ts';
import type { ChildGateway } from '../resilience/child-gateway.ts';
import {
  type Asked,
  answer,
  type Behaviour,
  type ScriptedBackend,
} from '../resilience-path/scripted-backend.ts';
import { RawClient } from '../support/raw-client.ts';
import { IN_LINE, UNDER_WAY } from './gateway-config.ts';
import { untilSeen } from './watcher.ts';

/** Where faults are made, and seen. */
export interface Scene {
  readonly gateway: ChildGateway;
  readonly prometheus: Prometheus;
  readonly shop: readonly [ScriptedBackend, ScriptedBackend];
  /** The config in force. */
  readonly config: Readonly<Record<string, unknown>>;
}

const SHOP = 'service="shop"';
const GET_HELD = 'GET /shop/hold HTTP/1.1\r\nHost: a\r\n\r\n';

/** Whatever live traffic meets there, probes find it well. */
const probedWell =
  (otherwise: Behaviour): Behaviour =>
  (asked) =>
    asked.target === '/health' ? answer(asked, 200, 'well') : otherwise(asked);

export const ok = probedWell((asked) => answer(asked, 200, 'ok'));
const reset = probedWell(({ connection }) => void connection.socket.resetAndDestroy());

/** A WebSocket, held open until the test ends. */
export async function holdTunnel({ gateway, prometheus }: Scene): Promise<RawClient> {
  const client = await RawClient.open(gateway.port);
  const key = 'dGhlIHNhbXBsZSBub25jZQ==';
  client.send(
    `GET /chat/ws?room=panels&name=panels HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
  );
  await client.contains('welcome');
  assert.match(client.received, /^HTTP\/1\.1 101 /);
  await untilSeen(prometheus, 'portway_tunnels{route="/chat"} > 0');
  return client;
}

/** One that its client ends, if the instance behind it, which chaos may have crashed, has not. */
export async function endTunnel(scene: Scene): Promise<void> {
  const client = await holdTunnel(scene);
  client.socket.resetAndDestroy();
  await untilSeen(scene.prometheus, 'portway_tunnels_ended_total{route="/chat"} > 0');
}

/** More requests than may be under way and wait, and one whose client leaves. */
export async function crowd({ gateway, prometheus, shop }: Scene): Promise<void> {
  const held: Asked[] = [];
  for (const backend of shop)
    backend.behave = probedWell((asked) => {
      if (asked.target === '/hold') held.push(asked);
      else answer(asked, 200, 'ok');
    });
  const clients = await Promise.all(
    Array.from({ length: UNDER_WAY + IN_LINE + 2 }, async () => {
      const client = await RawClient.open(gateway.port);
      return client.send(GET_HELD);
    }),
  );
  await untilSeen(
    prometheus,
    `portway_concurrency_in_flight{${SHOP}} == ${UNDER_WAY}`,
    `portway_concurrency_queued{${SHOP}} > 0`,
    `portway_pool_pending_requests{${SHOP}} > 0`,
    'portway_rejected_requests_total{route="/shop", reason="overloaded"} > 0',
  );
  for (const client of clients) client.socket.destroy();
  await untilSeen(prometheus, 'portway_requests_total{route="/shop", code="499"} > 0');
  for (const backend of shop) backend.behave = ok;
  for (const asked of held) answer(asked, 200, 'at last');
}

/** One resets every connection, and is ejected. */
export async function eject({ gateway, prometheus, shop: [, victim] }: Scene): Promise<void> {
  victim.behave = reset;
  await untilSeen(
    prometheus,
    `portway_backend_excluded{backend="${victim.name}", by="ejection"} == 1`,
    `portway_ejections_total{backend="${victim.name}"} > 0`,
  );
  victim.behave = ok;
  await untilBack(gateway);
}

/** Both reset every connection: their breakers open, all are tried, and the retry budget is soon spent. */
export async function fail({ gateway, prometheus, shop }: Scene): Promise<void> {
  for (const backend of shop) backend.behave = reset;
  const retries = (outcome: string): string => `portway_retries_total{${SHOP}, outcome="${outcome}"} > 0`;
  await untilSeen(
    prometheus,
    `portway_backend_excluded{${SHOP}, by="breaker"} == 1`,
    `portway_service_fail_open{${SHOP}} == 1`,
    `portway_breaker_state{${SHOP}} == 2`,
    `portway_upstream_requests_total{${SHOP}, code="backend_closed"} > 0`,
    `portway_requests_total{route="/shop", code="502"} > 0`,
    'ALERTS{alertname="PortwayServiceFailsOpen", alertstate="firing"}',
    retries('retried'),
    retries('budget'),
  );
  for (const backend of shop) backend.behave = ok;
  await untilBack(gateway);
  await untilSeen(
    prometheus,
    `portway_breaker_transitions_total{${SHOP}, to="closed"} > 0`,
    `min(portway_backend_eligible{${SHOP}}) == 1`,
  );
}

async function untilBack(gateway: ChildGateway): Promise<void> {
  await gateway.until('the shop is back', ({ services }) =>
    services.every(({ name, eligible, backends }) => name !== 'shop' || eligible === backends.length),
  );
}

/** One backend ends, and is back after a while. */
export async function kill({ gateway, prometheus, shop: [victim] }: Scene): Promise<void> {
  const excluded = `portway_backend_excluded{backend="${victim.name}", by="health"}`;
  await victim.stop();
  await untilSeen(
    prometheus,
    `${excluded} == 1`,
    `portway_health_checks_total{backend="${victim.name}", result="failure"} > 0`,
  );
  await victim.restart();
  await untilBack(gateway);
  await untilSeen(prometheus, `${excluded} == 0`);
}

/** An operator takes a backend out, and lets it in again. */
export async function drain({ gateway, prometheus, shop: [, chosen] }: Scene): Promise<void> {
  const path = `services/shop/backends/${chosen.name}`;
  await gateway.post(`${path}/drain`);
  await untilSeen(prometheus, `portway_backend_excluded{backend="${chosen.name}", by="admin"} == 1`);
  await gateway.post(`${path}/undrain`);
  await untilSeen(prometheus, `portway_backend_eligible{backend="${chosen.name}"} == 1`);
}

/** A config that is taken, one that is refused, and the first again. */
export async function reload({ gateway, prometheus, config }: Scene): Promise<void> {
  const reloads = (result: string): string => `portway_config_reloads_total{result="${result}"} > 0`;
  await gateway.reload({ ...config, drain: { timeout: '2s' } });
  await assert.rejects(gateway.reload({ ...config, routes: [{ path: '/', service: 'nobody' }] }), /422/);
  await untilSeen(
    prometheus,
    'portway_config_last_reload_successful == 0',
    'ALERTS{alertname="PortwayConfigReloadFailed", alertstate="firing"}',
  );
  await gateway.reload(config);
  await untilSeen(
    prometheus,
    'portway_config_last_reload_successful == 1',
    reloads('succeeded'),
    reloads('failed'),
  );
}
