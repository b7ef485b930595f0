// Runs one of the workspace's commands on a bare machine: installs the dependencies when they are missing,
// fetches the pinned Node when this machine's own is older than 24, then hands over to it.
// Plain JavaScript without dependencies, because it runs before either of them is there (Node >= 20).
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const PINNED_NODE = '26.10.0';
const OLDEST_NODE = 24;

const TESTS = ['gateway', 'services/*', 'bench', 'grafana', 'load-tests'].map(
  (folder) => `${folder}/test/**/*.test.ts`,
);
/** @type {Record<string, (args: string[]) => string[][]>} */
const COMMANDS = {
  start: (args) => [['node', 'services/shared/src/start.ts', ...args]],
  test: (args) => [['node', '--test', '--test-timeout=120000', ...(args.length > 0 ? args : TESTS)]],
  lint: (args) => [['biome', 'check', ...args]],
  types: () => [['tsc', '-p', '.']],
  unused: () => [['knip', '--no-progress']],
  check: () => [['biome', 'check'], ['tsc', '-p', '.'], ['knip', '--no-progress'], ...COMMANDS.test([])],
  fuzz: (args) => [['node', 'gateway/test/fuzz/run.ts', ...args]],
  load: (args) => [['node', 'load-tests/bin/run.ts', ...args]],
  dashboards: (args) => [['node', 'grafana/src/generate.ts', ...args]],
  bench: (args) => [['node', 'bench/run.ts', ...args]],
};

function fail(message) {
  process.stderr.write(`portway: ${message}\n`);
  process.exit(1);
}

function npm(args, what) {
  process.stderr.write(`portway: ${what}\n`);
  const run = spawnSync('npm', args, {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (run.status !== 0) fail(`npm ${args.join(' ')} failed; its output above says why`);
}

/** npm writes node_modules/.package-lock.json last, so an older one than the lock file means a stale or cut-off install. */
function installDependencies() {
  const done = join(root, 'node_modules', '.package-lock.json');
  if (existsSync(done) && statSync(done).mtimeMs >= statSync(join(root, 'package-lock.json')).mtimeMs) return;
  npm(['ci', '--no-audit', '--no-fund', '--loglevel=error'], 'installing dependencies (npm ci)');
}

/** The folder to put first on the PATH so that `node` is new enough, or undefined where it is already. */
function pinnedNodeFolder() {
  if (Number.parseInt(process.versions.node, 10) >= OLDEST_NODE) return undefined;
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  const home = join(root, '.node', 'node_modules', name);
  const manifest = join(home, 'package.json');
  if (!existsSync(manifest) || JSON.parse(readFileSync(manifest, 'utf8')).version !== PINNED_NODE) {
    const flags = ['--no-save', '--no-package-lock', '--no-audit', '--no-fund', '--loglevel=error'];
    const why = `this is Node ${process.versions.node}; fetching Node ${PINNED_NODE} into .node (about 120 MB, once)`;
    npm(['install', '--prefix', '.node', ...flags, `${name}@${PINNED_NODE}`], why);
  }
  return join(home, 'bin');
}

/**
 * Runs one command; signals reach the child too, since it shares our terminal or gets them passed on. npm's shell does not
 * pass SIGTERM on but dies of it, so a parent that is gone counts as one; and a child with a channel to us notices when we
 * are killed.
 */
function run(command, env) {
  return new Promise((resolve) => {
    const stdio = name === 'start' ? ['inherit', 'inherit', 'inherit', 'ipc'] : 'inherit';
    const child = spawn(command[0], command.slice(1), { cwd: root, stdio, env });
    const passOn = (signal) => child.kill(signal);
    const parent = process.ppid;
    const watch = setInterval(() => {
      if (process.ppid === parent) return;
      clearInterval(watch);
      passOn('SIGTERM');
    }, 500);
    // A terminal sends Ctrl-C to the whole group: passing it on again would be a second, impatient one.
    const onInterrupt = () => (process.stdin.isTTY ? undefined : passOn('SIGINT'));
    process.on('SIGTERM', passOn);
    process.on('SIGINT', onInterrupt);
    child.on('error', (error) => fail(`cannot run ${command[0]}: ${error.message}`));
    child.on('exit', (code, signal) => {
      clearInterval(watch);
      process.off('SIGTERM', passOn);
      process.off('SIGINT', onInterrupt);
      resolve(code ?? (signal === 'SIGINT' ? 130 : 143));
    });
  });
}

const [name, ...args] = process.argv.slice(2);
const command = COMMANDS[name ?? ''];
if (command === undefined)
  fail(`unknown command '${name ?? ''}'; known: ${Object.keys(COMMANDS).join(', ')}`);
installDependencies();
const folders = [pinnedNodeFolder(), join(root, 'node_modules', '.bin'), process.env.PATH].filter(Boolean);
const env = { ...process.env, PATH: folders.join(delimiter) };
// each test file is a process of its own, and most load the same modules: compiled once, they take half the time to load
if (name === 'test' || name === 'check')
  env.NODE_COMPILE_CACHE ??= join(root, 'node_modules', '.cache', 'node-compile');
let status = 0;
for (const step of command(args)) {
  status = await run(step, env);
  if (status !== 0) break;
}
process.exit(status);
