import type { Clock, Random, TimerWheel } from '../../time.ts';
import { NO_TICKET } from '../backend.ts';
import type { Exchange } from '../exchange.ts';
import type { OpenTunnels } from './open-tunnels.ts';
import { Tunnel } from './tunnel.ts';
import { WebSocketTunnel } from './websocket-tunnel.ts';

export interface TunnelDeps {
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly random: Random;
  readonly tunnels: OpenTunnels;
}

/**
 * Turns both connections of `exchange` into a tunnel.
 * @param answer what the client is told before that; empty for nothing
 * @param ended called once, when it has ended
 */
export function enterTunnel(
  exchange: Exchange,
  status: number,
  answer: string,
  { clock, wheel, random, tunnels }: TunnelDeps,
  ended: () => void,
): void {
  const { backend, route, backendSide, method, client } = exchange;
  if (backend === undefined || route === undefined || backendSide === undefined) return;
  const nowMs = clock.now();
  backend.succeeded(exchange.ticket, status, nowMs - exchange.attemptStartedMs, nowMs);
  exchange.ticket = NO_TICKET;
  exchange.record?.answered(status, nowMs);
  // how long people chat is no latency; and a TCP connection is no request
  if (method !== '') route.counters.add(method, status, nowMs - exchange.startedMs, exchange);
  exchange.status = status;
  if (answer !== '') client.interim(answer);
  const parts = {
    ...{ route, backend, wheel },
    backendEnd: backendSide.wire,
    ended: () => {
      tunnels.delete(tunnel);
      ended();
    },
  };
  const isWebSocket = exchange.upgrade.toLowerCase() === 'websocket';
  const tunnel = isWebSocket ? new WebSocketTunnel(parts, random) : new Tunnel(parts);
  // with its deadlines: a chat may take longer than a request
  exchange.becomeTunnel(tunnel);
  tunnels.add(tunnel);
  backendSide.startTunnel(tunnel);
  tunnel.start(client.startTunnel(tunnel));
}
