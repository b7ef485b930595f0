/**
 * Why a tunnel ended: who closed it first, or what the gateway closed it for. `silent`: a peer that did not answer a ping;
 * `protocol`: what came was no WebSocket frame.
 */
export type TunnelEnding = 'client' | 'backend' | 'idle' | 'silent' | 'protocol' | 'drain' | 'reload';

/** Upper bounds of the buckets of how long tunnels were open, in ms; the last bucket has none. */
export const TUNNEL_DURATION_BUCKETS_MS: readonly number[] = [
  1_000, 5_000, 15_000, 60_000, 300_000, 900_000, 3_600_000, 14_400_000, 86_400_000,
];

/** Tunnels of one route: WebSockets and other upgrades, CONNECT, TCP connections, UDP sessions. */
export class TunnelCounters {
  /** Open now. */
  open = 0;
  opened = 0;
  /** From clients to backends, and back; those of open tunnels included. */
  bytesIn = 0;
  bytesOut = 0;
  readonly ended = new Map<TunnelEnding, number>();
  /** Of those that ended. */
  durationSumMs = 0;
  #durations: number[] | undefined;

  begin(): void {
    this.open += 1;
    this.opened += 1;
  }

  end(ending: TunnelEnding, durationMs = 0): void {
    this.open -= 1;
    this.ended.set(ending, (this.ended.get(ending) ?? 0) + 1);
    this.durationSumMs += durationMs;
    let bucket = 0;
    while (durationMs > (TUNNEL_DURATION_BUCKETS_MS[bucket] ?? Number.POSITIVE_INFINITY)) bucket += 1;
    // most routes have no tunnels
    this.#durations ??= new Array<number>(TUNNEL_DURATION_BUCKETS_MS.length + 1).fill(0);
    this.#durations[bucket] = (this.#durations[bucket] ?? 0) + 1;
  }

  /** In each bucket, not cumulated; empty where none has ended. */
  get durations(): readonly number[] {
    return this.#durations ?? [];
  }
}
