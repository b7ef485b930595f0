import { get } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 50;
const ANSWER_TIMEOUT_MS = 1_000;

/** Resolves when GET /health on 127.0.0.1:`port` has answered 200; throws the signal's reason when that comes first. */
export async function untilHealthy(port: number, signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    if (await isHealthy(port)) return;
    await delay(POLL_MS, undefined, { signal });
  }
}

function isHealthy(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    // agent: false, so that no idle connection is left to hold up the service's shutdown
    const options = { host: '127.0.0.1', port, path: '/health', agent: false, timeout: ANSWER_TIMEOUT_MS };
    const request = get(options, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(false));
  });
}
