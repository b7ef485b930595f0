import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The part of V8's .cpuprofile that we read. Times are in microseconds. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** One function's own time. */
export interface SelfTime {
  readonly name: string;
  readonly ms: number;
  /** Of the time that was not idle, 0 to 1. */
  readonly share: number;
}

const US_PER_MS = 1000;
/** V8's name for waiting in epoll. */
const IDLE = '(idle)';

function place(url: string, line: number, root: string): string {
  if (url === '') return '';
  const path = url.startsWith('file:') ? relative(root, fileURLToPath(url)) : url;
  return ` ${path}:${line + 1}`;
}

/**
 * The functions of a profile by their own time in its last `lastMs`, the most expensive first: before that the
 * process was starting. Paths are written relative to `root`.
 */
export function selfTimes(profile: CpuProfile, root: string, lastMs: number): readonly SelfTime[] {
  const names = new Map<number, string>();
  for (const { id, callFrame } of profile.nodes) {
    const { functionName, url, lineNumber } = callFrame;
    names.set(id, `${functionName === '' ? '(anonymous)' : functionName}${place(url, lineNumber, root)}`);
  }
  const msByName = new Map<string, number>();
  let busyMs = 0;
  let leftMs = profile.timeDeltas.reduce((sum, each) => sum + each, 0) / US_PER_MS;
  for (const [at, id] of profile.samples.entries()) {
    const name = names.get(id) ?? '(unknown)';
    const ms = (profile.timeDeltas[at] ?? 0) / US_PER_MS;
    leftMs -= ms;
    if (name === IDLE || leftMs >= lastMs) continue;
    busyMs += ms;
    msByName.set(name, (msByName.get(name) ?? 0) + ms);
  }
  const times = [...msByName].map(([name, ms]) => ({ name, ms, share: busyMs === 0 ? 0 : ms / busyMs }));
  return times.sort((a, b) => b.ms - a.ms);
}

/** Reads the newest .cpuprofile of a folder. Throws when there is none. */
export function newestProfile(folder: string): CpuProfile {
  const newest = readdirSync(folder)
    .filter((name) => name.endsWith('.cpuprofile'))
    .sort()
    .at(-1);
  if (newest === undefined)
    throw new Error(`no profile in ${folder}: did the gateway end by itself on SIGTERM?`);
  return JSON.parse(readFileSync(join(folder, newest), 'utf8')) as CpuProfile;
}
