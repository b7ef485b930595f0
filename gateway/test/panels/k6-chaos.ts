import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findK6, howToGetK6 } from '../../../load-tests/runner/find-k6.ts';

const FOLDER = fileURLToPath(new URL('../../../load-tests/', import.meta.url));

/** Throws, saying how to get it, where there is no k6: who cannot run the load tests has not tested their dashboard. */
export function needK6(): void {
  const search = findK6({ env: process.env, ownFolder: join(FOLDER, '.k6') });
  if (search.found === undefined) throw new Error(howToGetK6(search.looked));
}

export interface ChaosOptions {
  readonly gatewayUrl: string;
  readonly adminUrl: string;
  /** Where the demo's services are. */
  readonly demoEnv: Readonly<Record<string, string>>;
  readonly prometheusUrl: string;
}

/** Begins `npm run load -- chaos --prometheus-rw URL`, short; what it returns rejects unless k6 ends well. */
export function startChaos(t: TestContext, options: ChaosOptions): Promise<void> {
  const outFolder = mkdtempSync(join(tmpdir(), 'portway-chaos-'));
  t.after(() => rmSync(outFolder, { recursive: true, force: true }));
  // what users notice is for the load tests to say, which have the machine to themselves
  const flags = ['--quiet', '--no-thresholds', '--prometheus-rw', options.prometheusUrl];
  const child = spawn(process.execPath, [join(FOLDER, 'bin/run.ts'), 'chaos', ...flags], {
    env: {
      ...process.env,
      ...options.demoEnv,
      BASE_URL: options.gatewayUrl,
      ADMIN_URL: options.adminUrl,
      OUT_DIR: outFolder,
      RATE: '20',
      CHAOS_FAULTS: 'kill,error500',
      CHAOS_SECONDS: '1.5',
      CHAOS_SETTLE_SECONDS: '1.5',
      // as often as the gateway is scraped here
      K6_PROMETHEUS_RW_PUSH_INTERVAL: '1s',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (bytes: Buffer) => {
      output += String(bytes);
    });
  const closed = once(child, 'close');
  t.after(async () => {
    child.kill('SIGTERM');
    await closed;
  });
  const ended = closed.then(([code]: unknown[]) => {
    if (code !== 0) throw new Error(`k6 ended with ${code}:\n${output.slice(-4_000)}`);
  });
  // asked for later
  ended.catch(() => {});
  return ended;
}
