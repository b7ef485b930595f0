import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { processTree } from '../cpu.ts';
import { hasProgram } from '../processes.ts';

const RUN = join(import.meta.dirname, '..', 'run.ts');
const missing = ['wrk', 'nginx', 'haproxy'].filter((tool) => !hasProgram(tool));
const skip = missing.length > 0 ? `not installed: ${missing.join(', ')}` : false;

const skipH2 = hasProgram('h2load') ? false : 'not installed: h2load';

/** The temporary folder of the run that a process belongs to, from its command line. */
function runFolder(pid: number): string | undefined {
  return /\S*\/out\/run-\w+/.exec(readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '))?.[0];
}

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

function bench(
  args: readonly string[],
  onOutput?: (output: string, pid: number, stop: () => void) => void,
): Promise<Ended> {
  const child = spawn(process.execPath, [RUN, ...args]);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      onOutput?.(output, child.pid ?? 0, () => child.kill('SIGINT'));
    });
  }
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, output })));
}

it('a quick run measures a peer', { skip }, async () => {
  const { code, output } = await bench(['--quick', '--peers', 'haproxy']);
  assert.equal(code, 0, output);
  assert.match(output, /^haproxy +3 backends +X-Forwarded-For/m);
  assert.match(output, /^haproxy +\d+(\.\d+)? +\d+\/\d+ .* \d+% +-$/m);
});

it('a quick run measures HTTP/2 over TLS', { skip: skip || skipH2 }, async () => {
  const { code, output } = await bench(['--quick', '--cases', 'h2', '--peers', 'haproxy']);
  assert.equal(code, 0, output);
  assert.match(output, /^h2: small GET over HTTP\/2/m);
  assert.match(output, /^haproxy +\d+(\.\d+)? +\d+\/\d+ .* \d+% +-$/m);
});

it('an interrupted run ends every process it started and removes its folder', { skip }, async () => {
  let folders: readonly string[] = [];
  let started: readonly number[] = [];
  const { code } = await bench(['--peers', 'haproxy', '--cases', 'small'], (output, pid, stop) => {
    if (!output.includes('haproxy ') || started.length > 0) return;
    started = processTree(pid).slice(1);
    folders = started.map(runFolder).filter((each) => each !== undefined);
    stop();
  });
  assert.equal(code, 130);
  assert.ok(started.length > 0);
  assert.deepEqual(
    started.filter((pid) => existsSync(`/proc/${pid}`)),
    [],
  );
  assert.ok(folders.length > 0);
  assert.deepEqual(folders.filter(existsSync), []);
});

it('an unknown peer or case is one clear line', async () => {
  const { code, output } = await bench(['--peers', 'ngnix']);
  assert.equal(code, 1);
  assert.match(output, /^bench: .*(no peer 'ngnix'; known: portway, nginx|missing).*\n$/);
});
