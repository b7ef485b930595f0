// `node bench/leaks.ts [--count 10000] [--only NAME] [--together]`: connections of every protocol that end badly, so many of
// each, and whether the gateway's memory and open descriptors are flat after them: after each kind, or after all.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { openDescriptors, rssBytes } from './cpu.ts';
import { Heap } from './leaks/heap.ts';
import { type Doors, KINDS, type Kind } from './leaks/kinds.ts';
import { whenReady } from './preflight.ts';
import { freePorts, pinned, type Running } from './processes.ts';
import { ROOT, runSession, type Session, say } from './session.ts';

const MIB = 1024 * 1024;
const AT_ONCE = 32;
/** More than a UDP client and a lingering connection are remembered here. */
const SETTLE_MS = 3_500;
/** Pooled connections to the backends, a probe on its way. */
const SPARE_DESCRIPTORS = 40;
/** Of live bytes: 10 000 connections that leak 300 bytes each would pass it. */
const MAX_GROWTH_BYTES = 3 * MIB;

interface Subject {
  readonly gateway: Running;
  readonly doors: Doors;
  readonly heap: Heap;
}

interface Held {
  readonly liveBytes: number;
  readonly descriptors: number;
  readonly rssBytes: number;
}

function config(doors: Doors, admin: number, [http = 0, tcp = 0, udp = 0]: readonly number[]): string {
  return `listeners:
  - address: 127.0.0.1:${doors.http}
  - { address: "127.0.0.1:${doors.tls}", tls: { certificates: [{ cert: tls.pem, key: tls.key }] } }
  - { address: "127.0.0.1:${doors.tcp}", protocol: tcp, service: tcp }
  - { address: "127.0.0.1:${doors.udp}", protocol: udp, service: udp, timeouts: { idle: 1s } }
  - { address: "127.0.0.1:${doors.proxy}", tunnel: { allow: ["127.0.0.1:${doors.echo}"] } }
admin:
  address: 127.0.0.1:${admin}
services:
  app: { backends: ["http://127.0.0.1:${http}"], ejection: false, breaker: false }
  tcp: { backends: ["tcp://127.0.0.1:${tcp}"], ejection: false, breaker: false }
  udp: { backends: ["udp://127.0.0.1:${udp}"], ejection: false, breaker: false }
routes:
  - { path: /, service: app }
`;
}

async function startGateway(session: Session): Promise<Subject> {
  const [http = 0, tls = 0, tcp = 0, udp = 0, proxy = 0, admin = 0, ...behind] = await freePorts(9);
  const doors = { http, tls, tcp, udp, proxy, echo: behind[1] ?? 0 };
  const backend = [process.execPath, join(import.meta.dirname, 'leaks', 'backend.ts'), ...behind.map(String)];
  await session.processes.start('backend', pinned(1, backend));
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', 'tls.key'];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '30'];
  execFileSync('openssl', ['req', '-x509', ...key, '-out', 'tls.pem', ...subject], {
    cwd: session.folder,
    stdio: 'ignore',
  });
  const file = join(session.folder, 'leaks.yaml');
  writeFileSync(file, config(doors, admin, behind));
  const main = join(ROOT, 'gateway', 'src', 'main.ts');
  const command = [process.execPath, '--inspect=127.0.0.1:0', main, 'start', '--config', file];
  const gateway = await session.processes.start('portway', pinned(0, command));
  await whenReady(gateway, http, '/');
  return { gateway, doors, heap: await Heap.of(gateway.output()) };
}

async function times(kind: Kind, doors: Doors, count: number): Promise<void> {
  let left = count;
  const worker = async (): Promise<void> => {
    while (left-- > 0) await kind.once(doors);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

async function held({ gateway, heap }: Subject): Promise<Held> {
  await sleep(SETTLE_MS);
  const liveBytes = await heap.liveBytes();
  return { liveBytes, descriptors: openDescriptors(gateway.pid), rssBytes: rssBytes(gateway.pid) };
}

async function examine(kinds: readonly Kind[], subject: Subject, count: number): Promise<boolean> {
  const { gateway, doors } = subject;
  // the first ones compile code and fill tables
  for (const kind of kinds) await times(kind, doors, Math.min(count, 1_000));
  const before = await held(subject);
  for (const kind of kinds) await times(kind, doors, count);
  if (gateway.ended()) throw new Error(`the gateway ended:\n${gateway.tail()}`);
  const after = await held(subject);
  const grown = after.liveBytes - before.liveBytes;
  const flat = grown < MAX_GROWTH_BYTES && after.descriptors <= before.descriptors + SPARE_DESCRIPTORS;
  const name = kinds.length === 1 ? kinds[0]?.name : `${kinds.length} kinds`;
  const mib = (bytes: number): string => (bytes / MIB).toFixed(1);
  const memory = `live ${mib(before.liveBytes)} to ${mib(after.liveBytes)} MiB (RSS ${mib(before.rssBytes)} to ${mib(after.rssBytes)})`;
  const descriptors = `descriptors ${before.descriptors} to ${after.descriptors}`;
  say(`${name}: ${count} times: ${memory}, ${descriptors}: ${flat ? 'PASS' : 'FAIL'}`);
  return flat;
}

async function main(session: Session): Promise<void> {
  const { values } = parseArgs({
    options: {
      count: { type: 'string', default: '10000' },
      only: { type: 'string', default: '' },
      together: { type: 'boolean', default: false },
    },
  });
  const subject = await startGateway(session);
  const chosen = KINDS.filter(({ name }) => name.includes(values.only));
  let failed = 0;
  for (const kinds of values.together ? [chosen] : chosen.map((kind) => [kind])) {
    if (!(await examine(kinds, subject, Number(values.count)))) failed += 1;
  }
  subject.heap.close();
  say(failed === 0 ? 'PASS' : `FAIL: ${failed}`);
  if (failed > 0) process.exitCode = 1;
}

await runSession('leaks', main);
