import { mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import type { Case, Protocol } from './cases.ts';
import { cpuBetween, peakRssBytes, readCpu, resetPeakRss } from './cpu.ts';
import { type LoadResult, type LoadSetting, runLoad } from './load.ts';
import type { Peer } from './peers.ts';
import { inspect, type Work, whenServing } from './preflight.ts';
import { freePorts, pinned } from './processes.ts';

const MIB = 1024 * 1024;

/** One peer under one case in one round. */
export interface Sample extends LoadResult {
  readonly peer: string;
  readonly load: string;
  readonly round: number;
  /** User and system time of the gateway's whole process tree for each request. */
  readonly cpuUsPerRequest: number;
  /** The same for each MiB of body; undefined where bodies are not measured. */
  readonly cpuUsPerMib: number | undefined;
  /** Part of the CPU time spent outside the kernel, 0 to 1. */
  readonly userShare: number;
  /** Part of its core the gateway used, 0 to 1. */
  readonly busyShare: number;
  /** Time its threads wanted that core and others had it, as a part of the time: how disturbed the round was. */
  readonly waitedShare: number;
  readonly peakRssBytes: number;
  readonly work: Work;
}

/** What stays the same for all measurements of a run. */
export interface Bench extends LoadSetting {
  /** Those that the gateway is to stand in front of, for what is spoken. */
  readonly backendPorts: (protocol: Protocol) => readonly number[];
  readonly seconds: number;
  readonly warmupSeconds: number;
}

/** Further wishes for one measurement. */
export interface MeasureOptions {
  readonly round: number;
  readonly nodeFlags: readonly string[];
  /** Called when the load begins, with the gateway's process id. */
  readonly onLoad?: (pid: number) => void;
}

/** Starts a peer, checks it, warms it up, measures it, ends it. Throws when it fails any of that. */
export async function measure(
  bench: Bench,
  peer: Peer,
  load: Case,
  options: MeasureOptions,
): Promise<Sample> {
  const { processes, certificate, seconds } = bench;
  const backendPorts = bench.backendPorts(load.protocol);
  mkdirSync(bench.folder, { recursive: true });
  const folder = mkdtempSync(join(bench.folder, `${peer.name}-`));
  const [port = 0, adminPort = 0] = await freePorts(2);
  const { nodeFlags } = options;
  const command = peer.command({ folder, port, adminPort, backendPorts, load, certificate, nodeFlags });
  const running = await processes.start(peer.name, pinned(0, command), {
    ...process.env,
    NODE_ENV: 'production',
  });
  try {
    await whenServing(running, port, load);
    const work = await inspect(port, load);
    await runLoad(bench, load, port, bench.warmupSeconds);
    resetPeakRss(running.pid);
    options.onLoad?.(running.pid);
    const before = readCpu(running.pid);
    const result = await runLoad(bench, load, port, seconds);
    const use = cpuBetween(before, readCpu(running.pid));
    if (result.requests === 0) throw new Error('not one request was answered');
    const cpuUsPerRequest = (use.cpuMs * 1000) / result.requests;
    return {
      ...result,
      peer: peer.name,
      load: load.name,
      round: options.round,
      cpuUsPerRequest,
      cpuUsPerMib: load.bodyBytes === 0 ? undefined : cpuUsPerRequest / (load.bodyBytes / MIB),
      userShare: use.userShare,
      busyShare: use.cpuMs / 1000 / result.seconds,
      waitedShare: use.waitedMs / 1000 / result.seconds,
      peakRssBytes: peakRssBytes(running.pid),
      work,
    };
  } finally {
    await processes.stop(running);
  }
}
