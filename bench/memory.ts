// `node bench/memory.ts [--idle 10000] [--gib 4] [--peers portway,nginx]`: what idle connections and endless bodies
// cost in resident memory.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { CASES } from './cases.ts';
import { portwayConfig } from './configs/portway.ts';
import { rssBytes } from './cpu.ts';
import { raiseDescriptorLimit } from './limits.ts';
import { download, upload } from './memory/big-body.ts';
import { type Peer, portwayPeer, RIVALS } from './peers.ts';
import { whenReady } from './preflight.ts';
import { freePorts, pinned, type Running } from './processes.ts';
import { ROOT, runSession, type Session, say } from './session.ts';
import { Watch } from './watch.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;
const MAX_GROWTH_BYTES = 32 * MIB;
const SETTLE_MS = 3000;
const OPEN_WITHIN_MS = 60_000;
/** Descriptors a gateway needs besides its clients' connections. */
const SPARE_DESCRIPTORS = 1000;

const script = (name: string): string => join(import.meta.dirname, 'memory', name);

async function startBackend(session: Session): Promise<number> {
  const [port = 0] = await freePorts(1);
  const command = pinned(1, [process.execPath, script('raw-backend.ts'), String(port)]);
  await whenReady(await session.processes.start('raw-backend', command), port, '/');
  return port;
}

async function startPeer(
  session: Session,
  peer: Peer,
  backendPort: number,
): Promise<{ running: Running; port: number }> {
  const [port = 0, adminPort = 0] = await freePorts(2);
  const load = CASES.find((each) => each.name === 'small');
  if (load === undefined) throw new Error('no small case');
  const folder = mkdtempSync(join(session.folder, `${peer.name}-`));
  const command = peer.command({ folder, port, adminPort, backendPorts: [backendPort], load, nodeFlags: [] });
  const running = await session.processes.start(peer.name, pinned(0, command));
  await whenReady(running, port, '/small');
  return { running, port };
}

async function openIdle(session: Session, port: number, count: number): Promise<Running> {
  const command = pinned(1, [process.execPath, script('idle-clients.ts'), String(port), String(count)]);
  const clients = await session.processes.start('idle-clients', command);
  const deadline = Date.now() + OPEN_WITHIN_MS;
  while (!clients.output().includes('idle')) {
    if (clients.ended()) throw new Error(`the clients ended: ${clients.tail()}`);
    if (Date.now() > deadline)
      throw new Error(`${count} connections were not open after ${OPEN_WITHIN_MS} ms`);
    await sleep(100);
  }
  return clients;
}

async function idleConnections(
  session: Session,
  peer: Peer,
  backendPort: number,
  count: number,
): Promise<void> {
  const { running, port } = await startPeer(session, peer, backendPort);
  // the same work first on few connections, so that code and young heap are in the memory it starts from
  await session.processes.stop(await openIdle(session, port, Math.min(1000, count)));
  await sleep(SETTLE_MS);
  const before = rssBytes(running.pid);
  const clients = await openIdle(session, port, count);
  await sleep(SETTLE_MS);
  const after = rssBytes(running.pid);
  if (clients.ended()) throw new Error(`connections were closed while idle: ${clients.tail()}`);
  const each = ((after - before) / count / KIB).toFixed(1);
  const total = `${(before / MIB).toFixed(0)} to ${(after / MIB).toFixed(0)} MiB`;
  say(`idle: ${peer.name}: ${count} connections, RSS ${total}, ${each} KiB each`);
  await session.processes.stop(clients);
  await session.processes.stop(running);
}

async function bigBodies(session: Session, backendPort: number, bytes: number): Promise<void> {
  const [port = 0, adminPort = 0] = await freePorts(2);
  const config = join(session.folder, 'big.yaml');
  const backendPorts = [backendPort];
  writeFileSync(config, portwayConfig({ port, adminPort, backendPorts, routes: 1, maxBodySize: '64GiB' }));
  const main = join(ROOT, 'gateway', 'src', 'main.ts');
  const command = pinned(0, [process.execPath, main, 'start', '--config', config]);
  const running = await session.processes.start('portway', command);
  await whenReady(running, port, '/small');
  const moves = {
    down: () => download(port, bytes),
    up: async () => {
      const read = await upload(port, bytes);
      if (read !== String(bytes)) throw new Error(`the backend read ${read} of ${bytes} bytes`);
    },
  };
  for (let round = 0; round < 20; round++) {
    await download(port, MIB);
    await upload(port, MIB);
  }
  for (const [direction, move] of Object.entries(moves)) {
    const watch = new Watch(running.pid, 100);
    const began = performance.now();
    await move().finally(() => watch.stop());
    const seconds = (performance.now() - began) / 1000;
    const seen = watch.stop().map((held) => held.rssBytes);
    const growth = Math.max(...seen) - (seen[0] ?? 0);
    const verdict = growth < MAX_GROWTH_BYTES ? 'PASS' : 'FAIL';
    if (verdict === 'FAIL') process.exitCode = 1;
    const size = `${(bytes / GIB).toFixed(1)} GiB ${direction} in ${seconds.toFixed(1)} s`;
    const limit = `limit ${MAX_GROWTH_BYTES / MIB} MiB`;
    say(
      `body: portway: ${size}, 2 s of it stalled: RSS grew ${(growth / MIB).toFixed(1)} MiB (${limit}): ${verdict}`,
    );
  }
  await session.processes.stop(running);
}

async function main(session: Session): Promise<void> {
  const text = (value: string) => ({ type: 'string', default: value }) as const;
  const { values } = parseArgs({
    options: { idle: text('10000'), gib: text('4'), peers: text('portway,nginx') },
  });
  // HAProxy wants two for each client connection
  const limit = raiseDescriptorLimit(Number(values.idle) * 2 + SPARE_DESCRIPTORS);
  const count = Math.min(Number(values.idle), limit - SPARE_DESCRIPTORS);
  if (count < Number(values.idle))
    say(`only ${count} connections: the limit of open files (ulimit -n) allows no more`);
  const names = values.peers.split(',');
  const peers = [portwayPeer('portway', ROOT, undefined), ...RIVALS].filter((peer) =>
    names.includes(peer.name),
  );
  const backendPort = await startBackend(session);
  for (const peer of peers) {
    const missing = peer.missing();
    if (missing !== undefined) say(`${peer.name}: skipped: ${missing}`);
    else if (count > 0) await idleConnections(session, peer, backendPort, count);
  }
  const self = peers.find((peer) => peer.name === 'portway');
  if (self !== undefined && self.missing() === undefined && Number(values.gib) > 0) {
    await bigBodies(session, backendPort, Number(values.gib) * GIB);
  }
}

await runSession('memory', main);
