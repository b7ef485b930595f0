import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Case } from './cases.ts';
import type { Certificate } from './certificate.ts';
import { h2loadCommand, parseH2load } from './h2load.ts';
import { type Processes, pinned } from './processes.ts';

/** What a load program counted. */
export interface LoadResult {
  /** In the units of the case: requests, messages, datagrams, MiB. */
  readonly requests: number;
  readonly seconds: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Connections refused or broken, and requests without an answer in time. */
  readonly socketErrors: number;
  /** Answers that were neither 2xx nor 3xx. */
  readonly badStatuses: number;
}

const MS_PER: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

function durationMs(text: string): number {
  const match = /^([\d.]+)(us|ms|s|m|h)$/.exec(text);
  return Number(match?.[1] ?? Number.NaN) * (MS_PER[match?.[2] ?? ''] ?? Number.NaN);
}

/** Reads what `wrk --latency` prints. Throws when it is not that. */
export function parseWrk(output: string): LoadResult {
  const total = /(\d+) requests in (\S+),/.exec(output);
  const rate = /Requests\/sec:\s+([\d.]+)/.exec(output);
  const p50 = /^\s+50%\s+(\S+)\s*$/m.exec(output);
  const p99 = /^\s+99%\s+(\S+)\s*$/m.exec(output);
  if (total === null || rate === null || p50 === null || p99 === null) {
    throw new Error(`wrk printed no result:\n${output.slice(-1000)}`);
  }
  const errors =
    /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(output)?.slice(1) ?? [];
  return {
    requests: Number(total[1]),
    seconds: durationMs(total[2] ?? '') / 1000,
    requestsPerSecond: Number(rate[1]),
    p50Ms: durationMs(p50[1] ?? ''),
    p99Ms: durationMs(p99[1] ?? ''),
    socketErrors: errors.reduce((sum, each) => sum + Number(each), 0),
    badStatuses: Number(/Non-2xx or 3xx responses: (\d+)/.exec(output)?.[1] ?? 0),
  };
}

function wrkCommand(load: Case, port: number, seconds: number): readonly string[] {
  const headers = load.headers.flatMap((each) => ['-H', each]);
  const script = load.script === undefined ? [] : ['-s', load.script.file];
  const args = load.script === undefined ? [] : ['--', ...load.script.args];
  const shape = ['-t1', `-c${load.connections}`, `-d${seconds}s`, '--timeout', '10s', '--latency'];
  const url = `${load.protocol}://127.0.0.1:${port}${load.path}`;
  return ['wrk', ...shape, ...headers, ...script, url, ...args];
}

function driverCommand(load: Case, port: number, seconds: number): readonly string[] {
  const driver = join(import.meta.dirname, 'drivers', `${load.protocol}.ts`);
  return [process.execPath, driver, String(port), String(load.connections), String(seconds)];
}

interface Program {
  readonly command: readonly string[];
  readonly parse: (output: string) => LoadResult;
}

function programFor(load: Case, port: number, seconds: number, folder: string): Program {
  switch (load.protocol) {
    case 'http':
    case 'https':
      return { command: wrkCommand(load, port, seconds), parse: parseWrk };
    case 'h2': {
      const log = join(folder, 'h2load.log');
      rmSync(log, { force: true });
      return {
        command: h2loadCommand(load, port, seconds, log),
        parse: (output) => parseH2load(output, log),
      };
    }
    case 'websocket':
    case 'tcp':
    case 'udp':
      return { command: driverCommand(load, port, seconds), parse: parseTally };
  }
}

/** Reads what one of our own load programs prints. Throws when it is not that. */
function parseTally(output: string): LoadResult {
  const line = /^\{"requests".*\}$/m.exec(output)?.[0];
  if (line === undefined) throw new Error(`the load printed no result:\n${output.slice(-1000)}`);
  return JSON.parse(line) as LoadResult;
}

/** Load programs end by themselves; a gateway that answers nothing must not keep one longer than this. */
const PATIENCE_MS = 15_000;

/** What a load needs besides its case. */
export interface LoadSetting {
  readonly processes: Processes;
  readonly folder: string;
  readonly certificate: Certificate;
}

/** Runs the load on core 1 for so many whole seconds. Throws when it fails or does not end. */
export async function runLoad(
  { processes, folder, certificate }: LoadSetting,
  load: Case,
  port: number,
  seconds: number,
): Promise<LoadResult> {
  const { command, parse } = programFor(load, port, seconds, folder);
  const program = await processes.start(`load-${load.name}`, pinned(1, command), certificate.clientEnv);
  const patience = new AbortController();
  const late = sleep(seconds * 1000 + PATIENCE_MS, 'late', { signal: patience.signal }).catch(() => 'ended');
  const end = await Promise.race([program.exited, late]);
  patience.abort();
  if (end === 'late') {
    await processes.stop(program);
    throw new Error(`the load did not end within ${seconds} s and ${PATIENCE_MS} ms`);
  }
  return parse(program.output());
}

/** Processes that wanted to run, over the last minute: how quiet the machine was. */
export function loadAverage(): number {
  return Number(readFileSync('/proc/loadavg', 'utf8').split(' ')[0]);
}
