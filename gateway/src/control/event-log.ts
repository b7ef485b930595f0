import type { DataEvent } from '../data/port.ts';
import type { Log } from './log.ts';

/** Says of the data plane's events those that a person wants to read, one line each. Only flips speak. */
export function logEvent(log: Log, event: DataEvent): void {
  switch (event.kind) {
    case 'eligible':
      log('info', `${event.service} ${event.backend} is in again`);
      return;
    case 'ineligible':
      // the health checks have said that with what their probe saw
      if (event.by !== 'health') log('warn', `${event.service} ${event.backend} is out: ${event.reason}`);
      return;
    case 'none-eligible':
      log(event.active ? 'error' : 'info', noneText(event.service, event.active, event.failOpen));
      return;
    // told by what follows from them, or only counted
    case 'ejected':
    case 'breaker':
    case 'connect-failed':
  }
}

function noneText(service: string, active: boolean, failOpen: boolean): string {
  if (!active) return `${service}: a backend is eligible again`;
  return failOpen
    ? `${service}: no backend is eligible; all are tried (whenNoneEligible: all)`
    : `${service}: no backend is eligible; its requests are answered 503`;
}
