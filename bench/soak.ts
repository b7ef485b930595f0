// `node bench/soak.ts [--seconds 60] [--clients 50] [--seed 1]`: clients that walk away and backends that are
// restarted in turn, and whether the gateway's memory and open descriptors come back to where they were.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { portwayConfig } from './configs/portway.ts';
import { whenReady } from './preflight.ts';
import { freePorts, pinned, type Running } from './processes.ts';
import { ROOT, runSession, type Session, say } from './session.ts';
import { slope } from './statistics.ts';
import { type Held, Watch } from './watch.ts';

const MIB = 1024 * 1024;
const BACKENDS = 3;
const RESTART_EVERY_MS = 2500;
const DOWN_MS = 400;
/** Longer than an idle connection to a backend is kept, and than a client's head may take (10 s). */
const SETTLE_MS = 14_000;
/** Descriptors that may be left over the start: health probes on their way, a connection not yet closed. */
const SPARE_DESCRIPTORS = 12;
/** A leak of one small object a request would pass this many times over. */
const MAX_SLOPE_MIB_PER_S = 0.25;

const script = (name: string): string => join(import.meta.dirname, 'soak', name);

const startBackend = (session: Session, port: number): Promise<Running> =>
  session.processes.start(
    `backend-${port}`,
    pinned(1, [process.execPath, script('backend.ts'), String(port)]),
  );

/** Ends and starts the backends one after another until the time is over, every other time without a goodbye. */
async function restartInTurn(
  session: Session,
  backends: Running[],
  ports: readonly number[],
  ms: number,
): Promise<number> {
  const deadline = performance.now() + ms;
  let restarts = 0;
  while (performance.now() + RESTART_EVERY_MS < deadline) {
    await sleep(RESTART_EVERY_MS - DOWN_MS);
    const at = restarts % ports.length;
    const [old, port] = [backends[at], ports[at]];
    if (old === undefined || port === undefined) break;
    if (restarts % 2 === 0) await session.processes.kill(old);
    else await session.processes.stop(old);
    await sleep(DOWN_MS);
    backends[at] = await startBackend(session, port);
    restarts++;
  }
  await sleep(Math.max(0, deadline - performance.now()));
  return restarts;
}

function verdict(seen: readonly Held[], start: Held, end: Held): boolean {
  // the first third is warm-up: code is compiled and the heap finds its size
  const steady = seen
    .slice(Math.floor(seen.length / 3))
    .map((held) => ({ x: held.seconds, y: held.rssBytes / MIB }));
  const perSecond = slope(steady);
  const line = (name: string, held: Held): void =>
    say(`${name}: RSS ${(held.rssBytes / MIB).toFixed(1)} MiB, ${held.descriptors} descriptors`);
  line('start', start);
  line('end', end);
  say(`RSS slope after warm-up: ${perSecond.toFixed(3)} MiB/s (limit ${MAX_SLOPE_MIB_PER_S})`);
  say(`most descriptors under load: ${Math.max(...seen.map((held) => held.descriptors))}`);
  return perSecond <= MAX_SLOPE_MIB_PER_S && end.descriptors <= start.descriptors + SPARE_DESCRIPTORS;
}

async function main(session: Session): Promise<void> {
  const text = (value: string) => ({ type: 'string', default: value }) as const;
  const { values } = parseArgs({ options: { seconds: text('60'), clients: text('50'), seed: text('1') } });
  const [port = 0, adminPort = 0, ...backendPorts] = await freePorts(BACKENDS + 2);
  const backends = await Promise.all(backendPorts.map((each) => startBackend(session, each)));
  const config = join(session.folder, 'soak.yaml');
  writeFileSync(config, portwayConfig({ port, adminPort, backendPorts, routes: 1, maxBodySize: '10MiB' }));
  const main = join(ROOT, 'gateway', 'src', 'main.ts');
  const command = pinned(0, [process.execPath, main, 'start', '--config', config]);
  const gateway = await session.processes.start('portway', command);
  await whenReady(gateway, port, '/health');
  const watch = new Watch(gateway.pid, 1000);
  const start = watch.look();
  const load = [process.execPath, script('clients.ts'), String(port), values.clients, values.seed];
  const clients = await session.processes.start('clients', pinned(1, load));
  const restarts = await restartInTurn(session, backends, backendPorts, Number(values.seconds) * 1000);
  const seen = watch.stop();
  await session.processes.stop(clients);
  if (gateway.ended()) throw new Error(`the gateway ended:\n${gateway.tail()}`);
  await sleep(SETTLE_MS);
  const settled = new Watch(gateway.pid, 1000);
  const end = settled.look();
  settled.stop();
  say(
    `${values.seconds} s, ${values.clients} clients, seed ${values.seed}, ${restarts} restarts: ${clients.tail()}`,
  );
  const tally: unknown = JSON.parse(clients.tail());
  const wrong = typeof tally === 'object' && tally !== null && 'wrong' in tally ? tally.wrong : 'unknown';
  const pass = verdict(seen, start, end) && wrong === 0;
  say(pass ? 'PASS' : 'FAIL');
  if (!pass) process.exitCode = 1;
}

await runSession('soak', main);
