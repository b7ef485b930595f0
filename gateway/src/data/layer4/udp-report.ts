import type { ExchangeReport } from '../port.ts';
import type { Route } from '../route.ts';
import type { TunnelEnding } from '../tunnel/tunnel-counters.ts';

/** What is known of a session that has ended. */
export interface EndedSession {
  readonly clientIp: string;
  /** The last it had. */
  readonly backend: string;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly startedMs: number;
  readonly durationMs: number;
  readonly ending: TunnelEnding;
}

/**
 * A session as whoever watches exchanges is told of it: as a tunnel that was no request before.
 * @param traceId what samples are chosen by
 */
export function udpReport(session: EndedSession, { name, service }: Route, traceId: string): ExchangeReport {
  const { clientIp, backend, bytesIn, bytesOut, startedMs, durationMs, ending } = session;
  return {
    ...{ head: '', method: '', host: '', path: '', query: '', minorVersion: -1, protocol: 'UDP' },
    ...{ scheme: 'http', requestId: '', traceId, clientIp, peerIp: clientIp },
    ...{ status: 200, failure: undefined, phase: 'body' },
    ...{ route: name, routePath: undefined, service: service.name, backend },
    ...{ attempts: 1, retries: 0, hedged: false, bytesIn, bytesOut, startedMs, durationMs },
    ...{ queueMs: 0, connectMs: 0, firstByteMs: undefined, trace: undefined },
    tunnel: { bytesIn, bytesOut, durationMs, ending },
  };
}
