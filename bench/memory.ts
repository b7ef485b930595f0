// `node bench/memory.ts [--idle 10000] [--websockets 10000] [--gib 4] [--peers portway,nginx]`: what idle connections,
// idle WebSockets and endless bodies cost in resident memory.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startBackends } from './backends.ts';
import { type Case, casesNamed } from './cases.ts';
import { type Certificate, makeCertificate } from './certificate.ts';
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

/** What stays open and idle, before a gateway in front of `backendPorts`. */
interface Idle {
  readonly what: 'connections' | 'WebSockets';
  readonly load: Case;
  readonly clients: string;
  readonly backendPorts: readonly number[];
}

function idleConnections(backendPort: number): Idle {
  const [load] = casesNamed(['small']);
  if (load === undefined) throw new Error('no small case');
  return { what: 'connections', load, clients: 'idle-clients.ts', backendPorts: [backendPort] };
}

async function idleWebSockets(session: Session): Promise<Idle> {
  const [load] = casesNamed(['websocket']);
  if (load === undefined) throw new Error('no websocket case');
  const backendPorts = (await startBackends(session.processes, session.folder, [load]))(load.protocol);
  return { what: 'WebSockets', load, clients: 'idle-websockets.ts', backendPorts };
}

async function startPeer(
  session: Session,
  peer: Peer,
  { load, backendPorts }: Idle,
  certificate: Certificate,
): Promise<{ running: Running; port: number }> {
  const [port = 0, adminPort = 0] = await freePorts(2);
  const folder = mkdtempSync(join(session.folder, `${peer.name}-`));
  const launch = { folder, port, adminPort, backendPorts, load, certificate, nodeFlags: [] };
  const running = await session.processes.start(peer.name, pinned(0, peer.command(launch)));
  await whenReady(running, port, '/small');
  return { running, port };
}

async function open(
  session: Session,
  { clients: program }: Idle,
  port: number,
  count: number,
): Promise<Running> {
  const command = pinned(1, [process.execPath, script(program), String(port), String(count)]);
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

async function holdIdle(
  session: Session,
  peer: Peer,
  idle: Idle,
  count: number,
  certificate: Certificate,
): Promise<void> {
  const { running, port } = await startPeer(session, peer, idle, certificate);
  // the same work first on few connections, so that code and young heap are in the memory it starts from
  await session.processes.stop(await open(session, idle, port, Math.min(1000, count)));
  await sleep(SETTLE_MS);
  const before = rssBytes(running.pid);
  const clients = await open(session, idle, port, count);
  await sleep(SETTLE_MS);
  const after = rssBytes(running.pid);
  if (clients.ended()) throw new Error(`connections were closed while idle: ${clients.tail()}`);
  const each = ((after - before) / count / KIB).toFixed(1);
  const total = `${(before / MIB).toFixed(0)} to ${(after / MIB).toFixed(0)} MiB`;
  say(`idle: ${peer.name}: ${count} ${idle.what}, RSS ${total}, ${each} KiB each`);
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
    options: { idle: text('10000'), websockets: text('10000'), gib: text('4'), peers: text('portway,nginx') },
  });
  const connections = allowed(Number(values.idle));
  const webSockets = allowed(Number(values.websockets));
  const names = values.peers.split(',');
  const peers = [portwayPeer('portway', ROOT, undefined), ...RIVALS].filter((peer) => {
    const missing = peer.missing();
    if (names.includes(peer.name) && missing !== undefined) say(`${peer.name}: skipped: ${missing}`);
    return names.includes(peer.name) && missing === undefined;
  });
  const certificate = makeCertificate(session.folder);
  const backendPort = await startBackend(session);
  if (connections > 0) {
    const idle = idleConnections(backendPort);
    for (const peer of peers) await holdIdle(session, peer, idle, connections, certificate);
  }
  if (webSockets > 0) {
    const idle = await idleWebSockets(session);
    const able = peers.filter((peer) => peer.supports(idle.load));
    for (const peer of able) await holdIdle(session, peer, idle, webSockets, certificate);
  }
  const self = peers.some((peer) => peer.name === 'portway');
  if (self && Number(values.gib) > 0) await bigBodies(session, backendPort, Number(values.gib) * GIB);
}

/** As many connections as were asked for and the limit of open files leaves room for. */
function allowed(wanted: number): number {
  // HAProxy wants two for each client connection, and a WebSocket has two everywhere
  const limit = raiseDescriptorLimit(wanted * 2 + SPARE_DESCRIPTORS);
  const count = Math.min(wanted, Math.floor((limit - SPARE_DESCRIPTORS) / 2));
  if (count < wanted) say(`only ${count} connections: the limit of open files (ulimit -n) allows no more`);
  return count;
}

await runSession('memory', main);
