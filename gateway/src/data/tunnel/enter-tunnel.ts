import type { TimerWheel } from '../../time.ts';
import type { BackendSide, Exchange } from '../exchange.ts';
import type { Route } from '../route.ts';
import type { OpenTunnels } from './open-tunnels.ts';
import { Tunnel } from './tunnel.ts';

export interface TunnelDeps {
  readonly wheel: TimerWheel;
  readonly tunnels: OpenTunnels;
}

/** Turns both connections of `exchange` into a tunnel; `ended` is called once, when it has ended. */
export function enterTunnel(
  exchange: Exchange,
  route: Route,
  side: BackendSide,
  { wheel, tunnels }: TunnelDeps,
  ended: () => void,
): void {
  route.tunnels.begin();
  const tunnel = new Tunnel(route, side.wire, wheel, route.webSocket.idleMs, () => {
    tunnels.delete(tunnel);
    route.tunnels.bytesIn += tunnel.bytesIn;
    route.tunnels.bytesOut += tunnel.bytesOut;
    route.tunnels.end(tunnel.ending ?? 'client');
    ended();
  });
  exchange.tunnel = tunnel;
  // a chat may take longer than a request; and whoever ended it here, the tunnel would end it again
  exchange.timers?.close();
  tunnels.add(tunnel);
  side.startTunnel(tunnel);
  tunnel.client = exchange.client.startTunnel(tunnel);
}
