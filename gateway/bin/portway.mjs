#!/usr/bin/env node
// The `portway` command: hands over to src/main.ts, on the pinned Node where this one is older than 24.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const main = join(here, '..', 'src', 'main.ts');
if (Number.parseInt(process.versions.node, 10) >= 24) {
  await import(main);
} else {
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  const pinned = join(
    here,
    '..',
    '..',
    '.node',
    'node_modules',
    `node-${platform}-${process.arch}`,
    'bin',
    'node',
  );
  if (!existsSync(pinned)) {
    process.stderr.write(
      `portway needs Node 24 or newer; this is ${process.versions.node}. Install it, or run 'npm start' once in the checkout to fetch it.\n`,
    );
    process.exit(1);
  }
  // replaced, not wrapped, where the platform can: signals and the exit code are then Node's own
  if (typeof process.execve === 'function')
    process.execve(pinned, [pinned, main, ...process.argv.slice(2)], process.env);
  process.exit(spawnSync(pinned, [main, ...process.argv.slice(2)], { stdio: 'inherit' }).status ?? 1);
}
