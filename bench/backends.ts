import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Case, Protocol } from './cases.ts';
import { backendConfig } from './configs/backend.ts';
import { ANSWER_WITHIN_MS, whenAnswering, whenReady } from './preflight.ts';
import { rawAnswer } from './preflight-raw.ts';
import { freePorts, type Processes, pinned } from './processes.ts';

const BACKENDS = 3;

type Kind = 'http' | 'websocket' | 'tcp' | 'udp';

/** HTTP/1.1 in the clear is what all gateways speak behind TLS and HTTP/2 too. */
const kindFor = (protocol: Protocol): Kind => (protocol === 'https' || protocol === 'h2' ? 'http' : protocol);

const PROGRAMS = { websocket: 'websocket-echo.ts', tcp: 'tcp-source.ts', udp: 'udp-echo.ts' } as const;

/** Starts the backends that the cases need, three of each kind on core 1. Returns how to find their ports. */
export async function startBackends(
  processes: Processes,
  folder: string,
  loads: readonly Case[],
): Promise<(protocol: Protocol) => readonly number[]> {
  const kinds = new Set(loads.map(({ protocol }) => kindFor(protocol)));
  const ports = new Map<Kind, readonly number[]>();
  for (const kind of kinds)
    ports.set(kind, kind === 'http' ? await startNginx(processes, folder) : await startOwn(processes, kind));
  return (protocol) => ports.get(kindFor(protocol)) ?? [];
}

async function startNginx(processes: Processes, folder: string): Promise<readonly number[]> {
  const ports = await freePorts(BACKENDS);
  const config = join(folder, 'backend.conf');
  writeFileSync(config, backendConfig(folder, ports, process.getuid?.() === 0));
  const command = ['nginx', '-e', join(folder, 'backend-start.log'), '-p', folder, '-c', config];
  const backend = await processes.start('backend', pinned(1, command));
  for (const port of ports) await whenReady(backend, port, '/health');
  return ports;
}

async function startOwn(processes: Processes, kind: Exclude<Kind, 'http'>): Promise<readonly number[]> {
  const ports = await freePorts(BACKENDS);
  const program = join(import.meta.dirname, 'backends', PROGRAMS[kind]);
  const command = [process.execPath, program, ...ports.map(String)];
  const backend = await processes.start(`backend-${kind}`, pinned(1, command));
  for (const port of ports) {
    if (kind === 'websocket') await whenReady(backend, port, '/health');
    else await whenAnswering(backend, async () => void (await rawAnswer(kind, port, ANSWER_WITHIN_MS)));
  }
  return ports;
}
