import { spawnSync } from 'node:child_process';
import { K6_MODULE } from './k6-release.ts';

/** Builds k6 with Go into `folder`; returns what is wrong, or undefined when it is there. */
export function installK6(
  folder: string,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const run = spawnSync('go', ['install', K6_MODULE], {
    // modules are read-only in the cache, so the program alone goes into the folder
    env: { ...env, GOBIN: folder },
    stdio: ['ignore', 2, 2],
  });
  if (run.error !== undefined) return `go cannot be run (${run.error.message}); it is at go.dev/dl`;
  return run.status === 0 ? undefined : `go install ${K6_MODULE} failed; its output above says why`;
}
