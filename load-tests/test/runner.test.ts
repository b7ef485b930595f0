import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readArguments } from '../runner/arguments.ts';
import { commandOf } from '../runner/command.ts';
import { findK6, howToGetK6 } from '../runner/find-k6.ts';
import { K6_IMAGE, K6_MODULE } from '../runner/k6-release.ts';
import { main } from '../runner/main.ts';
import { listScenarios } from '../runner/scenarios.ts';

const FOLDER = join(import.meta.dirname, '..');
const RUN = join(FOLDER, 'bin', 'run.ts');
const SCENARIOS = ['breakpoint', 'chaos', 'load', 'smoke', 'soak', 'spike', 'stress', 'websocket'];

function tempFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'portway-load-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A program that prints its arguments and what k6 would be told, or what it is given to print. */
function fakeProgram(path: string, script: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
}

const fakeK6 = (path: string, version = '1.8.1'): void =>
  fakeProgram(
    path,
    `if [ "$1" = version ]; then echo "k6 v${version} (go1.26, linux/amd64)"; exit; fi\n` +
      'echo "args: $*"; echo "rw: $K6_PROMETHEUS_RW_SERVER_URL $K6_PROMETHEUS_RW_TREND_STATS"; exit 99',
  );

test('k6 is taken from the PATH first, then from where Go puts programs, then from our own folder', (t) => {
  const folder = tempFolder(t);
  const [onPath, goPath, ownFolder] = ['path', 'go', 'own'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  fakeProgram(join(onPath, 'go'), `echo; echo ${goPath}`);
  const find = () => findK6({ env: { PATH: onPath }, ownFolder }).found;
  const found = (path: string) => ({ kind: 'program', path, version: '1.8.1' });
  fakeK6(join(ownFolder, 'k6'));
  assert.deepEqual(find(), found(join(ownFolder, 'k6')));
  fakeK6(join(goPath, 'bin', 'k6'));
  assert.deepEqual(find(), found(join(goPath, 'bin', 'k6')));
  fakeK6(join(onPath, 'k6'));
  assert.deepEqual(find(), found('k6'));
});

test('a k6 that is too old for TypeScript is passed over, and the reason said', (t) => {
  const folder = tempFolder(t);
  fakeK6(join(folder, 'k6'), '0.49.0');
  const search = findK6({ env: { PATH: folder }, ownFolder: join(folder, 'own') });
  assert.ok(search.found === undefined);
  assert.match(howToGetK6(search.looked), /the PATH: that one is v0\.49\.0, which does not run TypeScript/);
});

test('docker is used when there is no k6 and it has the image or can pull it', (t) => {
  const folder = tempFolder(t);
  const find = () => findK6({ env: { PATH: folder }, ownFolder: folder });
  fakeProgram(join(folder, 'docker'), 'exit 0');
  assert.deepEqual(find().found, { kind: 'docker', image: K6_IMAGE });
  fakeProgram(
    join(folder, 'docker'),
    '[ "$1" = version ] && exit 0\necho "no route to registry" >&2; exit 1',
  );
  const search = find();
  assert.ok(search.found === undefined);
  assert.match(howToGetK6(search.looked), /cannot be pulled: no route to registry/);
});

function run(t: TestContext, args: readonly string[], programs: (folder: string) => void = () => undefined) {
  const folder = tempFolder(t);
  programs(folder);
  const env = { PATH: folder, OUT_DIR: join(folder, 'out') };
  return spawnSync(process.execPath, [RUN, ...args], { env, encoding: 'utf8' });
}

test('without k6 it says how to get it and fails', async (t) => {
  const ownFolder = tempFolder(t);
  const said: string[] = [];
  const say = (text: string) => void said.push(text);
  const env = { PATH: ownFolder };
  assert.equal(await main(['smoke'], { env, folder: FOLDER, ownFolder, out: say, say }), 1);
  for (const way of ['--install-k6', `go install ${K6_MODULE}`, 'brew install k6', 'apt-get', K6_IMAGE])
    assert.ok(said.join().includes(way), `${way} is missing in ${said.join()}`);
});

test('without a scenario it lists them, each with what it is for', (t) => {
  const { status, stdout } = run(t, []);
  assert.equal(status, 0);
  for (const name of SCENARIOS) assert.match(stdout, new RegExp(`^ {2}${name} +\\S.{20,}$`, 'm'));
  assert.deepEqual(
    listScenarios(join(FOLDER, 'scenarios')).map(({ name }) => name),
    SCENARIOS,
  );
});

test('an unknown scenario is refused with the list of those there are', (t) => {
  const { status, stderr } = run(t, ['smok']);
  assert.equal(status, 2);
  assert.match(stderr, /there is no scenario 'smok'/);
  assert.match(stderr, /^ {2}smoke /m);
});

test('flags go on to k6, a Prometheus is told where its writes go, and its exit code is ours', (t) => {
  const args = ['smoke', '--vus', '3', '--prometheus-rw', 'http://127.0.0.1:9090', '-q'];
  const { status, stdout } = run(t, args, (folder) => fakeK6(join(folder, 'k6')));
  assert.equal(status, 99);
  const script = join(FOLDER, 'scenarios', 'smoke.ts');
  assert.ok(stdout.includes(`args: run --out experimental-prometheus-rw --vus 3 -q ${script}\n`), stdout);
  assert.match(stdout, /^rw: http:\/\/127\.0\.0\.1:9090\/api\/v1\/write p\(50\),p\(95\),p\(99\),max$/m);
});

test('--install-k6 builds it into our own folder, or says that go is missing', (t) => {
  const missing = run(t, ['--install-k6']);
  assert.equal(missing.status, 1);
  assert.match(missing.stderr, /go cannot be run/);
  const script = `echo "go $* into $GOBIN" >&2`;
  const built = run(t, ['--install-k6'], (folder) => fakeProgram(join(folder, 'go'), script));
  assert.equal(built.status, 0);
  assert.ok(built.stderr.includes(`go install ${K6_MODULE} into ${join(FOLDER, '.k6')}`), built.stderr);
});

test('what cannot be meant is refused', () => {
  const problem = (...args: string[]) => {
    const request = readArguments(args, SCENARIOS);
    return request.kind === 'bad' ? request.problem : request.kind;
  };
  assert.match(problem('smoke', '--prometheus-rw'), /takes the http\(s\) URL/);
  assert.match(problem('smoke', '--prometheus-rw=ftp://x'), /not 'ftp:\/\/x'/);
  assert.match(problem('--vus', '3'), /the scenario comes first/);
  assert.match(problem('--install-k6', 'smoke'), /takes nothing more/);
  assert.equal(problem('--help'), 'list');
});

test('a path in the URL of a Prometheus is kept', () => {
  const request = readArguments(['load', '--prometheus-rw=https://mimir/api/v1/push'], SCENARIOS);
  assert.ok(request.kind === 'run');
  assert.equal(request.remoteWriteUrl, 'https://mimir/api/v1/push');
  assert.deepEqual(request.flags, []);
});

test('in docker the scripts are mounted, reports written as the user, and only our own variables passed on', () => {
  const { program, args } = commandOf(
    { kind: 'docker', image: K6_IMAGE },
    {
      request: { kind: 'run', scenario: 'load', flags: ['-q'], remoteWriteUrl: undefined },
      folder: '/load',
      env: { BASE_URL: 'http://gateway', DB_PORT_1: '1', RATE: '5', SECRET: 'x', PATH: '/bin' },
      platform: 'darwin',
      userId: '501:20',
    },
  );
  assert.equal(program, 'docker');
  const line = args.join(' ');
  assert.match(line, /^run --rm --network host --user 501:20 --volume \/load:\/load-tests:ro /);
  assert.match(line, /--volume \/load\/out:\/out .*--env OUT_DIR=\/out /);
  assert.match(line, /--env BASE_URL --env DB_PORT_1 --env RATE .*--env DEMO_HOST=host\.docker\.internal/);
  assert.ok(line.endsWith(`${K6_IMAGE} run -q /load-tests/scenarios/load.ts`), line);
  assert.doesNotMatch(line, /SECRET|PATH/);
});

test('users come from several addresses where the gateway is on this Linux machine, and only there', () => {
  const addresses = (platform: NodeJS.Platform, env: Record<string, string>) =>
    commandOf(
      { kind: 'program', path: 'k6', version: '1.8.1' },
      {
        request: { kind: 'run', scenario: 'load', flags: [], remoteWriteUrl: undefined },
        ...{ folder: '/load', env, platform, userId: undefined },
      },
    ).env['K6_LOCAL_IPS'];
  assert.equal(addresses('linux', {}), '127.0.0.1-127.0.0.16');
  assert.equal(addresses('linux', { BASE_URL: 'http://gateway:8080' }), undefined);
  assert.equal(addresses('linux', { K6_LOCAL_IPS: '10.0.0.1' }), undefined);
  assert.equal(addresses('darwin', {}), undefined);
});
