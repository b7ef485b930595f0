import { readFileSync } from 'node:fs';
import type { Case } from './cases.ts';
import type { LoadResult } from './load.ts';

/** The command that loads an HTTP/2 gateway over TLS; it writes the times of all requests to `logFile`. */
export function h2loadCommand(load: Case, port: number, seconds: number, logFile: string): readonly string[] {
  const shape = ['-t1', `-c${load.connections}`, `-m${load.streams}`, '-D', String(seconds)];
  const headers = load.headers.flatMap((each) => ['-H', each]);
  return ['h2load', ...shape, ...headers, '--log-file', logFile, `https://127.0.0.1:${port}${load.path}`];
}

/** Reads what h2load prints, and its log: a line a request, start, status and microseconds. Throws when it is not that. */
export function parseH2load(output: string, logFile: string): LoadResult {
  const finished = /finished in ([\d.]+)(us|ms|s|m), ([\d.]+) req\/s/.exec(output);
  const counts =
    /requests: \d+ total, \d+ started, \d+ done, (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout/.exec(
      output,
    );
  if (finished === null || counts === null)
    throw new Error(`h2load printed no result:\n${output.slice(-1000)}`);
  // another protocol would be another measurement
  if (!/^Application protocol: h2$/m.test(output)) throw new Error('h2load did not speak h2');
  const bad = /status codes: \d+ 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx/.exec(output)?.slice(1) ?? [];
  const micros = latencies(logFile);
  const at = (share: number): number => (micros[Math.floor(micros.length * share)] ?? 0) / 1000;
  const requestsPerSecond = Number(finished[3]);
  const requests = Number(counts[1]);
  return {
    requests,
    seconds: requests / requestsPerSecond,
    requestsPerSecond,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    socketErrors: Number(counts[3]) + Number(counts[4]),
    badStatuses: bad.reduce((sum, each) => sum + Number(each), 0),
  };
}

function latencies(logFile: string): Float64Array {
  const lines = readFileSync(logFile, 'latin1').trimEnd().split('\n');
  return Float64Array.from(lines, (line) => Number(line.split('\t')[2] ?? 0)).sort();
}
