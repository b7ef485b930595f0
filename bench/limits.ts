import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Open files that this process, and so a child of it, may have at most (the hard limit; Node raises its soft one). */
export function descriptorLimit(): number {
  const limits = readFileSync('/proc/self/limits', 'utf8');
  const line = /^Max open files\s+\S+\s+(\d+|unlimited)/m.exec(limits)?.[1] ?? '1024';
  return line === 'unlimited' ? 1_000_000 : Number(line);
}

/** Raises the limit of open files where it is lower and we are allowed to (root); returns what holds now. */
export function raiseDescriptorLimit(wanted: number): number {
  if (descriptorLimit() < wanted) {
    spawnSync('prlimit', ['--pid', String(process.pid), `--nofile=${wanted}:${wanted}`], { stdio: 'ignore' });
  }
  return descriptorLimit();
}
