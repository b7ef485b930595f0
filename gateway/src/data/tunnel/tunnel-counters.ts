/** Why a tunnel ended: who closed it first, or what the gateway closed it for. */
export type TunnelEnding = 'client' | 'backend' | 'idle' | 'drain' | 'reload';

/** Tunnels of one route: WebSockets and other upgrades, CONNECT, TCP connections, UDP sessions. */
export class TunnelCounters {
  /** Open now. */
  open = 0;
  opened = 0;
  /** From clients to backends, and back. */
  bytesIn = 0;
  bytesOut = 0;
  readonly ended = new Map<TunnelEnding, number>();

  begin(): void {
    this.open += 1;
    this.opened += 1;
  }

  end(ending: TunnelEnding): void {
    this.open -= 1;
    this.ended.set(ending, (this.ended.get(ending) ?? 0) + 1);
  }
}
