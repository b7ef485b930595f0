import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

/** Ticks per second of /proc/PID/stat: USER_HZ, 100 on every Linux architecture Node runs on. */
const TICKS_PER_SECOND = 100;
const NS_PER_MS = 1e6;

/** CPU time a process tree has used since it began. */
export interface CpuReading {
  /** Time on a CPU by the scheduler's own clock, in milliseconds (nanosecond resolution). */
  readonly onCpuMs: number;
  /** Time it wanted a CPU and others had it, in milliseconds. */
  readonly waitedMs: number;
  /** User and system time in 10 ms ticks: good for their proportion, too coarse for the sum of a short run. */
  readonly userTicks: number;
  readonly systemTicks: number;
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    // the process ended between listing and reading
    return '';
  }
}

/** The fields of /proc/PID/stat after the command name, which may hold spaces and brackets itself. */
function statFields(pid: number): readonly string[] {
  const text = readOrEmpty(`/proc/${pid}/stat`);
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}

/** The process and all its descendants that are alive now. */
export function processTree(pid: number): readonly number[] {
  const childrenOf = new Map<number, number[]>();
  for (const entry of readdirSync('/proc')) {
    const each = Number(entry);
    if (!Number.isInteger(each)) continue;
    const parent = Number(statFields(each)[1]);
    childrenOf.set(parent, [...(childrenOf.get(parent) ?? []), each]);
  }
  const tree = [pid];
  for (let at = 0; at < tree.length; at++) tree.push(...(childrenOf.get(tree[at] ?? 0) ?? []));
  return tree;
}

/** The first two figures of schedstat over all threads: nanoseconds on a CPU, and waiting for one. */
function threadTimes(pid: number): readonly [number, number] {
  let onCpuNs = 0;
  let waitedNs = 0;
  try {
    // /proc/PID/schedstat is the first thread's alone; V8's helpers and libuv's pool are beside it
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const [on, waited] = readOrEmpty(`/proc/${pid}/task/${thread}/schedstat`).split(' ').map(Number);
      onCpuNs += on ?? 0;
      waitedNs += waited ?? 0;
    }
  } catch {
    // ended while we looked: what was read so far is what there is
  }
  return [onCpuNs, waitedNs];
}

/** CPU time of a process tree so far. Its long-lived members only: what an ended child used is not in it. */
export function readCpu(pid: number): CpuReading {
  let onCpuNs = 0;
  let waitedNs = 0;
  let userTicks = 0;
  let systemTicks = 0;
  for (const each of processTree(pid)) {
    const fields = statFields(each);
    userTicks += Number(fields[11] ?? 0);
    systemTicks += Number(fields[12] ?? 0);
    const [on, waited] = threadTimes(each);
    onCpuNs += on;
    waitedNs += waited;
  }
  return { onCpuMs: onCpuNs / NS_PER_MS, waitedMs: waitedNs / NS_PER_MS, userTicks, systemTicks };
}

/** CPU used between two readings. */
export interface CpuUse {
  readonly cpuMs: number;
  readonly waitedMs: number;
  /** 0 to 1. */
  readonly userShare: number;
}

/** CPU used from the first reading to the second. */
export function cpuBetween(before: CpuReading, after: CpuReading): CpuUse {
  const user = after.userTicks - before.userTicks;
  const ticks = user + after.systemTicks - before.systemTicks;
  const onCpuMs = after.onCpuMs - before.onCpuMs;
  // kernels without CONFIG_SCHED_INFO keep no schedstat: then the ticks must do
  const cpuMs = onCpuMs > 0 ? onCpuMs : (ticks * 1000) / TICKS_PER_SECOND;
  return { cpuMs, waitedMs: after.waitedMs - before.waitedMs, userShare: ticks === 0 ? 0 : user / ticks };
}

function statusKiB(pid: number, field: 'VmHWM' | 'VmRSS'): number {
  const match = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readOrEmpty(`/proc/${pid}/status`));
  return Number(match?.[1] ?? 0);
}

/** Peak resident memory of a process tree in bytes, pages shared between its processes counted in each. */
export function peakRssBytes(pid: number): number {
  return processTree(pid).reduce((sum, each) => sum + statusKiB(each, 'VmHWM') * 1024, 0);
}

/** Resident memory of a process tree in bytes, now. */
export function rssBytes(pid: number): number {
  return processTree(pid).reduce((sum, each) => sum + statusKiB(each, 'VmRSS') * 1024, 0);
}

/** Sets the peak back to what is resident now, where the kernel lets us. */
export function resetPeakRss(pid: number): void {
  for (const each of processTree(pid)) {
    try {
      writeFileSync(`/proc/${each}/clear_refs`, '5');
    } catch {
      // not ours to reset: the peak then includes the warm-up
    }
  }
}

/** Open file descriptors of a process tree, now. */
export function openDescriptors(pid: number): number {
  let total = 0;
  for (const each of processTree(pid)) {
    try {
      total += readdirSync(`/proc/${each}/fd`).length;
    } catch {
      // ended meanwhile
    }
  }
  return total;
}
