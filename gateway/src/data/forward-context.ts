import type { Clock, Random, TimerWheel } from '../time.ts';
import type { FailureCounters } from './counters.ts';
import type { Exchange } from './exchange.ts';
import type { DataEvent } from './port.ts';
import type { RequestIds } from './request-id.ts';
import type { OpenTunnels } from './tunnel/open-tunnels.ts';

/** What becomes known of finished exchanges, and what happens beside them; called synchronously, and cheap. */
export interface Observer {
  exchangeEnded(exchange: Exchange, durationMs: number): void;
  event(event: DataEvent): void;
}

export interface ForwardContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly wheel: TimerWheel;
  readonly ids: RequestIds;
  readonly counters: FailureCounters;
  readonly tunnels: OpenTunnels;
  readonly observer: Observer;
  /** The Date line for answers that have none. */
  readonly dateLine: () => string;
}
