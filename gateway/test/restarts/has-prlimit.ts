import { execFileSync } from 'node:child_process';

/** Whether this machine has prlimit, by which a process gets few descriptors. */
export function hasPrlimit(): boolean {
  try {
    execFileSync('prlimit', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
