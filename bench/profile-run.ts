import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Case } from './cases.ts';
import { type Bench, measure } from './measure.ts';
import type { Peer } from './peers.ts';
import { hasProgram, type Running } from './processes.ts';
import { newestProfile, selfTimes } from './profile.ts';
import { columns } from './report.ts';
import { OUT, ROOT, say } from './session.ts';

const TOP_FUNCTIONS = 30;
const REPORT_WITHIN_MS = 60_000;

function freshFolder(load: Case): string {
  const folder = join(OUT, `profile-${load.name}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** Runs each case with Node's own profiler on and prints the functions that took most. Throws when a run fails. */
export async function profileCases(bench: Bench, loads: readonly Case[], peer: Peer): Promise<void> {
  for (const load of loads) {
    const folder = freshFolder(load);
    const nodeFlags = ['--cpu-prof', `--cpu-prof-dir=${folder}`, '--cpu-prof-interval=500'];
    const sample = await measure(bench, peer, load, { round: 0, nodeFlags });
    say(
      `\n${load.name}: ${sample.cpuUsPerRequest.toFixed(1)} µs/${load.unit} while profiled; .cpuprofile in ${folder}`,
    );
    const top = selfTimes(newestProfile(folder), ROOT, bench.seconds * 1000).slice(0, TOP_FUNCTIONS);
    say(
      columns(
        top.map(({ name, ms, share }) => [name, `${ms.toFixed(0)} ms`, `${(share * 100).toFixed(1)}%`]),
      ),
    );
  }
}

/** Runs each case under `perf record` and prints its report: kernel functions, Node's and ours in one list. */
export async function perfCases(bench: Bench, loads: readonly Case[], peer: Peer): Promise<void> {
  if (!hasProgram('perf')) throw new Error('perf is missing; on Debian: apt-get install linux-perf');
  for (const load of loads) {
    const data = join(freshFolder(load), 'perf.data');
    let gateway = 0;
    let recorder: Promise<Running> | undefined;
    const onLoad = (pid: number): void => {
      gateway = pid;
      const command = [
        'perf',
        'record',
        '-F',
        '499',
        '-o',
        data,
        '-p',
        String(pid),
        '--',
        'sleep',
        String(bench.seconds),
      ];
      recorder = bench.processes.start('perf', command);
    };
    try {
      await measure(bench, peer, load, { round: 0, nodeFlags: ['--perf-basic-prof'], onLoad });
      await (await recorder)?.exited;
      const report = ['report', '--stdio', '-i', data, '--sort', 'dso,symbol', '--percent-limit', '0.7'];
      const run = spawnSync('perf', report, { encoding: 'utf8', timeout: REPORT_WITHIN_MS });
      // perf pads each line to its longest symbol and ends it with empty columns
      const lines = run.stdout.split('\n').flatMap((line) => /^\s+\d.*?(?=\s{3,}-|$)/.exec(line)?.[0] ?? []);
      say(`\n${load.name}: perf, of all CPU time of the gateway; data in ${data}\n${lines.join('\n')}`);
    } finally {
      // where V8 must put it for perf to find it
      rmSync(`/tmp/perf-${gateway}.map`, { force: true });
    }
  }
}
