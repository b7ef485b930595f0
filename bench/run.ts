// `npm run bench`: what a request costs, in CPU time of the gateway, for Portway and for others doing the same work.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startBackends } from './backends.ts';
import { CASES, type Case, casesNamed } from './cases.ts';
import { makeCertificate } from './certificate.ts';
import { type Flags, parseFlags, USAGE } from './flags.ts';
import { loadAverage } from './load.ts';
import { thisMachine } from './machine.ts';
import { type Bench, measure, type Sample } from './measure.ts';
import { installPeers } from './packages.ts';
import { type Peer, portwayPeer, RIVALS } from './peers.ts';
import { hasProgram } from './processes.ts';
import { perfCases, profileCases } from './profile-run.ts';
import { withNumbers } from './readme.ts';
import { caseTable, LEGEND, readmeTable, workTable } from './report.ts';
import { ROOT, runSession, type Session, say } from './session.ts';
import { rotate } from './statistics.ts';
import { type CaseSummary, SELF, type Summary, summarizeCase, withEarlier } from './summary.ts';

function choosePeers(flags: Flags): readonly Peer[] {
  const base = flags.base === undefined ? [] : [portwayPeer('portway-base', flags.base, undefined)];
  const all = [portwayPeer(SELF, ROOT, flags.gatewayCommand), ...base, ...RIVALS];
  for (const name of flags.peers) {
    if (!all.some((peer) => peer.name === name)) {
      throw new Error(`no peer '${name}'; known: ${all.map((peer) => peer.name).join(', ')}`);
    }
  }
  return flags.peers.length === 0 ? all : all.filter((peer) => flags.peers.includes(peer.name));
}

async function runCase(
  bench: Bench,
  load: Case,
  peers: readonly Peer[],
  rounds: number,
): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  const able = peers.filter((peer) => peer.supports(load));
  for (let round = 0; round < rounds; round++) {
    for (const peer of rotate(able, round)) {
      try {
        const sample = await measure(bench, peer, load, { round, nodeFlags: [] });
        samples.push(sample);
        const cost = `${sample.cpuUsPerRequest.toFixed(2)} µs/${load.unit}`;
        say(`  ${load.name} round ${round + 1}/${rounds} ${peer.name}: ${cost}, load ${loadAverage()}`);
      } catch (error) {
        say(
          `  ${load.name} round ${round + 1}/${rounds} ${peer.name}: FAILED: ${error instanceof Error ? error.message : error}`,
        );
        process.exitCode = 1;
      }
    }
  }
  return samples;
}

function write(measured: Summary): void {
  const results = join(import.meta.dirname, 'results');
  mkdirSync(results, { recursive: true });
  const file = join(results, 'latest.json');
  const earlier = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Summary) : undefined;
  const names = CASES.map(({ name }) => name);
  const summary = withEarlier(measured, earlier, names);
  writeFileSync(file, `${JSON.stringify(summary, null, 2)}\n`);
  say('\nwrote bench/results/latest.json');
  const readme = join(ROOT, 'README.md');
  const changed = existsSync(readme)
    ? withNumbers(readFileSync(readme, 'utf8'), readmeTable(summary))
    : undefined;
  if (changed === undefined) {
    say('README.md has no <!-- bench:start --> and <!-- bench:end --> markers, so it stays as it is');
    return;
  }
  writeFileSync(readme, changed);
  say('wrote the numbers in README.md');
}

async function compare(
  bench: Bench,
  flags: Flags,
  loads: readonly Case[],
  peers: readonly Peer[],
): Promise<void> {
  const skipped: string[] = [];
  const able = peers.filter((peer) => {
    const missing = peer.missing();
    if (missing !== undefined) skipped.push(`${peer.name}: skipped: ${missing}`);
    return missing === undefined;
  });
  for (const line of skipped) say(line);
  for (const peer of able) say(`${peer.name} ${peer.version()}: ${peer.about}`);
  const order = able.map((peer) => peer.name);
  const samples: Sample[] = [];
  const cases: CaseSummary[] = [];
  for (const load of loads) {
    samples.push(...(await runCase(bench, load, able, flags.rounds)));
    cases.push(summarizeCase(load, samples, order));
  }
  for (const summary of cases) say(caseTable(summary));
  const plain = cases.find((each) => each.peers.some((peer) => peer.headers.length > 0));
  if (plain !== undefined) say(workTable(plain));
  say(LEGEND);
  const versions = Object.fromEntries(able.map((peer) => [peer.name, peer.version()]));
  const { rounds, seconds } = flags;
  const date = new Date().toISOString();
  if (flags.write) write({ date, machine: thisMachine(), rounds, seconds, versions, skipped, cases });
}

async function main(args: readonly string[], { processes, folder }: Session): Promise<void> {
  const flags = parseFlags(args);
  if (flags.help) return say(USAGE);
  const loads = flags.cases.length === 0 ? CASES : casesNamed(flags.cases);
  for (const [tool, hint] of [
    ['wrk', 'wrk'],
    ['nginx', 'nginx-light'],
    ['openssl', 'openssl'],
    ['h2load', 'nghttp2-client'],
  ] as const) {
    if (tool === 'h2load' && !loads.some(({ protocol }) => protocol === 'h2')) continue;
    if (!hasProgram(tool)) throw new Error(`${tool} is missing; on Debian: apt-get install ${hint}`);
  }
  if (flags.installPeers) installPeers();
  const peers = choosePeers(flags);
  const certificate = makeCertificate(folder);
  const backendPorts = await startBackends(processes, folder, loads);
  const { seconds, warmupSeconds } = flags;
  const bench: Bench = { processes, folder, certificate, backendPorts, seconds, warmupSeconds };
  if (flags.profile) await profileCases(bench, loads, portwayPeer(SELF, ROOT, undefined));
  else if (flags.perf) await perfCases(bench, loads, portwayPeer(SELF, ROOT, undefined));
  else await compare(bench, flags, loads, peers);
}

await runSession('bench', (session) => main(process.argv.slice(2), session));
