import { isAbsolute, join } from 'node:path';
import { type Env, readTarget } from '../traffic/environment.ts';
import type { Request } from './arguments.ts';
import type { K6 } from './find-k6.ts';

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  /** Beside what this process has. */
  readonly env: Readonly<Record<string, string>>;
}

export interface CommandOptions {
  readonly request: Extract<Request, { kind: 'run' }>;
  /** The load-tests folder. */
  readonly folder: string;
  readonly env: Env;
  readonly platform: NodeJS.Platform;
  /** Of the user, so that a container writes its report as that one; undefined on Windows. */
  readonly userId: string | undefined;
}

/** What the scripts and k6 read, and so what a container must be told. */
const PASSED_ON =
  /^(K6_.*|BASE_URL|ADMIN_URL|DEMO_HOST|RATE|DURATION_SECONDS|CHAOS_.*|PORTWAY_(ADMIN_)?PORT|(WEB|DB|FILES|CHAT)_(HOST|PORT)(_\d+)?)$/;

/** The command that runs a scenario with the k6 that was found. */
export function commandOf(k6: K6, options: CommandOptions): Command {
  const { request, folder } = options;
  const outFolder = options.env['OUT_DIR'] || join(folder, 'out');
  const more = { ...k6Env(request.remoteWriteUrl), ...sourceAddresses(options) };
  const flags = [...outputFlags(request.remoteWriteUrl), ...request.flags];
  if (k6.kind === 'program')
    return {
      program: k6.path,
      args: ['run', ...flags, join(folder, 'scenarios', `${request.scenario}.ts`)],
      env: { ...more, OUT_DIR: outFolder },
    };
  const inside = { ...more, ...dockerHost(options), OUT_DIR: '/out' };
  const names = Object.keys(options.env).filter((name) => PASSED_ON.test(name) && !(name in inside));
  return {
    program: 'docker',
    args: [
      ...['run', '--rm', '--network', 'host'],
      ...(options.userId === undefined ? [] : ['--user', options.userId]),
      ...['--volume', `${folder}:/load-tests:ro`, '--volume', `${absolute(outFolder)}:/out`],
      ...names.flatMap((name) => ['--env', name]),
      ...Object.entries(inside).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
      ...[k6.image, 'run', ...flags, `/load-tests/scenarios/${request.scenario}.ts`],
    ],
    env: {},
  };
}

function outputFlags(remoteWriteUrl: string | undefined): string[] {
  return remoteWriteUrl === undefined ? [] : ['--out', 'experimental-prometheus-rw'];
}

function k6Env(remoteWriteUrl: string | undefined): Record<string, string> {
  const quiet = { K6_NO_USAGE_REPORT: 'true' };
  if (remoteWriteUrl === undefined) return quiet;
  return {
    ...quiet,
    K6_PROMETHEUS_RW_SERVER_URL: remoteWriteUrl,
    // what the dashboards read: a gauge for each of these, which every Prometheus takes as it is
    K6_PROMETHEUS_RW_TREND_AS_NATIVE_HISTOGRAM: 'false',
    K6_PROMETHEUS_RW_TREND_STATS: 'p(50),p(95),p(99),max',
    // or a dashboard would go on showing the last value for five minutes after the run
    K6_PROMETHEUS_RW_STALE_MARKERS: 'true',
  };
}

/** Users come from many addresses, which matters where the gateway hashes by them. On Linux all of 127/8 is ours. */
function sourceAddresses({ env, platform }: CommandOptions): Record<string, string> {
  const host = URL.parse(readTarget(env).baseUrl)?.hostname ?? '';
  const isLoopback = host === 'localhost' || host.startsWith('127.');
  if (platform !== 'linux' || !isLoopback || env['K6_LOCAL_IPS']) return {};
  return { K6_LOCAL_IPS: '127.0.0.1-127.0.0.16' };
}

/** Docker's own machine is the host only on Linux. */
function dockerHost({ platform, env }: CommandOptions): Record<string, string> {
  return platform === 'linux' || env['DEMO_HOST'] ? {} : { DEMO_HOST: 'host.docker.internal' };
}

function absolute(path: string): string {
  return isAbsolute(path) ? path : join(process.cwd(), path);
}
