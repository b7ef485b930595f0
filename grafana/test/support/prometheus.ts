import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { JOB } from '../../src/promql.ts';

/** One series of an answer: its labels, and its value at the time asked for. */
export interface Answer {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** One line of a panel: its labels, and its value at each moment that it has one. */
export interface Line {
  readonly labels: Readonly<Record<string, string>>;
  readonly values: readonly number[];
}

/** From and to are seconds since 1970. */
export interface Range {
  readonly from: number;
  readonly to: number;
  readonly stepSeconds: number;
}

export interface Prometheus {
  readonly url: string;
  /** At `atSeconds` since 1970. Rejects with what Prometheus has against the query. */
  query(expr: string, atSeconds: number): Promise<readonly Answer[]>;
  /** Over a time range, as a panel asks it. */
  queryRange(expr: string, range: Range): Promise<readonly Line[]>;
  /** The health of every rule: `ok`, `err` and why, or `unknown` before its first evaluation. */
  ruleHealth(): Promise<readonly string[]>;
  /** Ends it and deletes what it stored. */
  stop(): Promise<void>;
}

interface PrometheusOptions {
  /** Rule files, as YAML; evaluated each second unless they say otherwise. */
  readonly rules: readonly string[];
  /** A history in the text format of OpenMetrics, with a time for each sample; undefined: none. */
  readonly history?: string;
  /** `host:port` of gateways' admin ports to read each second; under the job that the queries name. */
  readonly scrapes?: readonly string[];
  /** Whether others, such as k6, may write to it. */
  readonly takesRemoteWrites?: boolean;
}

const run = promisify(execFile);

/** Runs promtool; rejects with its output when it fails, or with how to get it when it is not there. */
export async function promtool(...args: readonly string[]): Promise<string> {
  try {
    const { stdout, stderr } = await run('promtool', args);
    return stdout + stderr;
  } catch (error) {
    throw explained(error, 'promtool');
  }
}

/** A Prometheus of its own on a free port of the loopback interface. */
export async function startPrometheus(options: PrometheusOptions): Promise<Prometheus> {
  const folder = await mkdtemp(join(tmpdir(), 'portway-prometheus-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    await writeFile(join(folder, 'prometheus.yml'), configOf(options));
    for (const [index, text] of options.rules.entries())
      await writeFile(join(folder, `rules-${index}.yml`), text);
    if (options.history !== undefined) await store(folder, options.history);
    const flags = options.takesRemoteWrites === true ? ['--web.enable-remote-write-receiver'] : [];
    return await launch(folder, flags, remove);
  } catch (error) {
    await remove();
    throw error;
  }
}

function configOf({ scrapes = [] }: PrometheusOptions): string {
  const every = { evaluation_interval: '1s', scrape_interval: '1s', scrape_timeout: '1s' };
  const jobs = [{ job_name: JOB, static_configs: [{ targets: scrapes }] }];
  // JSON is YAML
  return JSON.stringify({
    global: every,
    rule_files: ['rules-*.yml'],
    scrape_configs: scrapes.length > 0 ? jobs : [],
  });
}

async function store(folder: string, history: string): Promise<void> {
  const file = join(folder, 'history.txt');
  await writeFile(file, history);
  await promtool('tsdb', 'create-blocks-from', 'openmetrics', '-q', file, join(folder, 'data'));
}

async function launch(
  folder: string,
  flags: readonly string[],
  remove: () => Promise<void>,
): Promise<Prometheus> {
  const places = [
    `--config.file=${join(folder, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
  ];
  const fixed = ['--storage.tsdb.retention.time=10y', '--web.listen-address=127.0.0.1:0'];
  const child = spawn('prometheus', [...places, ...fixed, ...flags], { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = once(child, 'exit');
  // a failed spawn emits `error` and no `exit`
  ended.catch(() => undefined);
  const guard = child.pid === undefined ? undefined : guardOf(child.pid);
  const stop = async (): Promise<void> => {
    guard?.kill();
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await ended;
    await remove();
  };
  const failed = once(child, 'error').then(([error]) => Promise.reject(explained(error, 'prometheus')));
  try {
    const url = await Promise.race([listening(child.stderr), failed]);
    child.stderr.resume();
    return client(url, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Ends the process with this one, however this one ends: the guard's input ends then. */
function guardOf(pid: number): ChildProcess {
  return spawn('sh', ['-c', `read _; kill -KILL ${pid}`], { stdio: ['pipe', 'ignore', 'ignore'] });
}

/** Where it listens, once it is ready. */
async function listening(output: Readable): Promise<string> {
  const log: string[] = [];
  let url: string | undefined;
  for await (const line of createInterface(output)) {
    log.push(line);
    const port = /msg="Listening on".*address=\S*:(\d+)/.exec(line)?.[1];
    if (port !== undefined) url = `http://127.0.0.1:${port}`;
    if (url !== undefined && line.includes('ready to receive web requests')) return url;
  }
  throw new Error(`prometheus ended before it was ready:\n${log.join('\n')}`);
}

function client(url: string, stop: () => Promise<void>): Prometheus {
  const ask = async (path: string, body?: URLSearchParams): Promise<unknown> => {
    const answer = await fetch(`${url}${path}`, body === undefined ? {} : { method: 'POST', body });
    const { status, data, error } = (await answer.json()) as {
      status: string;
      data: unknown;
      error?: string;
    };
    if (status !== 'success') throw new Error(error ?? `status ${answer.status}`);
    return data;
  };
  return {
    url,
    stop,
    async query(expr, atSeconds) {
      const body = new URLSearchParams({ query: expr, time: `${atSeconds}` });
      const { result } = (await ask('/api/v1/query', body)) as {
        result: { metric: Record<string, string>; value: [number, string] }[];
      };
      return result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
    },
    async queryRange(expr, { from, to, stepSeconds }) {
      const body = new URLSearchParams({
        query: expr,
        start: `${from}`,
        end: `${to}`,
        step: `${stepSeconds}`,
      });
      const { result } = (await ask('/api/v1/query_range', body)) as {
        result: { metric: Record<string, string>; values: [number, string][] }[];
      };
      return result.map(({ metric, values }) => ({
        labels: metric,
        values: values.map(([, value]) => Number(value)),
      }));
    },
    async ruleHealth() {
      const { groups } = (await ask('/api/v1/rules')) as {
        groups: { rules: { name: string; health: string; lastError?: string }[] }[];
      };
      return groups.flatMap(({ rules }) =>
        rules.map(({ name, health, lastError = '' }) => `${name}: ${health} ${lastError}`.trim()),
      );
    },
  };
}

function explained(error: unknown, tool: string): Error {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
    return new Error(
      `${tool} is not on the PATH, and without it nothing says whether the queries are right. ` +
        'Install Prometheus 2.42 or later: `apt-get install prometheus` (and stop its service), ' +
        '`brew install prometheus`, or the archive at prometheus.io/download.',
    );
  }
  if (error instanceof Error && 'stdout' in error && 'stderr' in error) {
    return new Error(`${tool} failed:\n${error.stdout}${error.stderr}`);
  }
  return error instanceof Error ? error : new Error(String(error));
}
