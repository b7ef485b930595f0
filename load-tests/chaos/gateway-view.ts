import { sleep } from 'k6';
import http from 'k6/http';
import { CONTROL } from './knobs.ts';
import type { Use } from './victims.ts';

export interface BackendView {
  readonly use: Use;
  /** Why it is out; empty when it is not. */
  readonly reason: string;
}

/** Without an answer for so long a backend gets no requests, or next to none. */
const IDLE_AFTER_MS = 1_500;

/** What the gateway thinks of each backend, by address; undefined when its admin API does not answer. */
export function readView(adminUrl: string): ReadonlyMap<string, BackendView> | undefined {
  const response = http.get(`${adminUrl}/api/v1/status`, { ...CONTROL, timeout: '1s' });
  if (response.status !== 200) return undefined;
  const status = response.json() as unknown as Status;
  return new Map(
    status.services.flatMap(({ backends }) => backends.map((backend) => [backend.name, viewOf(backend)])),
  );
}

/**
 * Waits until the gateway sends requests to every backend: a run that starts with one out already would break two at
 * once. Gives up, with a warning, after `limitS`; returns at once when the admin API does not answer.
 */
export function untilAllIn(adminUrl: string, limitS: number): void {
  for (let waitedS = 0; ; waitedS++) {
    const out = [...(readView(adminUrl) ?? [])].filter(([, { use }]) => use === 'out');
    if (out.length === 0) return;
    if (waitedS >= limitS) {
      const list = out.map(([address, { reason }]) => `${address} (${reason})`).join(', ');
      console.warn(`still out of rotation after ${limitS} s: ${list}`);
      return;
    }
    sleep(1);
  }
}

/** The part of the admin API's answer that is read here. */
interface Status {
  readonly services: readonly { readonly backends: readonly BackendStatus[] }[];
}

interface BackendStatus {
  readonly name: string;
  readonly eligible: boolean;
  readonly excludedBy?: string;
  readonly reason?: string;
  readonly lastSuccessAgoMs?: number;
}

function viewOf({ eligible, excludedBy, reason, lastSuccessAgoMs }: BackendStatus): BackendView {
  if (!eligible) return { use: 'out', reason: `${excludedBy}: ${reason}` };
  const isUsed = lastSuccessAgoMs !== undefined && lastSuccessAgoMs < IDLE_AFTER_MS;
  return { use: isUsed ? 'used' : 'idle', reason: '' };
}
