import { spawnSync } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { K6_IMAGE, K6_MODULE, OLDEST_MAJOR } from './k6-release.ts';

/** What k6 is run with. */
export type K6 =
  | { readonly kind: 'program'; readonly path: string; readonly version: string }
  | { readonly kind: 'docker'; readonly image: string };

export type Search =
  | { readonly found: K6 }
  /** Where it was looked for, and why that was nothing. */
  | { readonly found: undefined; readonly looked: readonly string[] };

export interface SearchOptions {
  /** PATH is where programs are looked for. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where `--install-k6` puts it. */
  readonly ownFolder: string;
}

/** A docker daemon that does not answer is none. */
const ANSWER_TIMEOUT_MS = 10_000;

/** Looks on the PATH, where Go installs programs, where --install-k6 puts it, and for docker. */
export function findK6(options: SearchOptions): Search {
  const looked: string[] = [];
  for (const [path, where] of places(options)) {
    const answer = ask(path, ['version'], options.env);
    const [, version = '', major = ''] = /k6(?:\.exe)? v((\d+)\.\S+)/.exec(answer ?? '') ?? [];
    if (version !== '' && Number(major) >= OLDEST_MAJOR)
      return { found: { kind: 'program', path, version: version.replace(/,$/, '') } };
    looked.push(
      version === '' ? where : `${where}: that one is v${version}, which does not run TypeScript as it is`,
    );
  }
  if (ask('docker', ['version', '--format', '{{.Server.Version}}'], options.env) !== undefined) {
    const image = dockerImage(options.env);
    if (image === undefined) return { found: { kind: 'docker', image: K6_IMAGE } };
    looked.push(`docker: ${image}`);
  } else looked.push('docker: not there, or its daemon does not answer');
  return { found: undefined, looked };
}

function places({ env, ownFolder }: SearchOptions): (readonly [path: string, where: string])[] {
  const own = join(ownFolder, 'k6');
  const goFolders = (ask('go', ['env', 'GOBIN', 'GOPATH'], env) ?? '').split('\n');
  const [goBin = '', goPath = ''] = goFolders.map((line) => line.trim());
  const ofGo = goBin || (goPath && join(goPath.split(delimiter)[0] ?? '', 'bin'));
  return [
    ['k6', 'the PATH'],
    ...(ofGo === '' ? [] : [[join(ofGo, 'k6'), join(ofGo, 'k6')] as const]),
    [own, own],
  ];
}

/** Undefined when the image is there or can be had; otherwise why not. */
function dockerImage(env: SearchOptions['env']): string | undefined {
  if (ask('docker', ['image', 'inspect', K6_IMAGE], env) !== undefined) return undefined;
  const pulled = spawnSync('docker', ['pull', '--quiet', K6_IMAGE], {
    env: { ...env },
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  return pulled.status === 0 ? undefined : `${K6_IMAGE} cannot be pulled: ${pulled.stderr.trim()}`;
}

/** What a program prints; undefined when it is not there, fails or does not end. */
function ask(program: string, args: readonly string[], env: SearchOptions['env']): string | undefined {
  const run = spawnSync(program, args, {
    env: { ...env },
    encoding: 'utf8',
    timeout: ANSWER_TIMEOUT_MS,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return run.status === 0 ? run.stdout : undefined;
}

/** How to get k6, for those who have none. */
export function howToGetK6(looked: readonly string[]): string {
  return [
    'k6 was not found. Looked for it in:',
    ...looked.map((place) => `  - ${place}`),
    '',
    'One of these gets it:',
    '  npm run load -- --install-k6      builds it with Go into load-tests/.k6 (some minutes, once)',
    `  go install ${K6_MODULE}`,
    '  brew install k6',
    '  apt-get install k6                after adding the repository that grafana.com/docs/k6 names',
    `  docker pull ${K6_IMAGE}    is used when docker answers`,
  ].join('\n');
}
