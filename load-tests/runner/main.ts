import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { readArguments } from './arguments.ts';
import { type Command, commandOf } from './command.ts';
import { findK6, howToGetK6 } from './find-k6.ts';
import { installK6 } from './install-k6.ts';
import { listScenarios, type Scenario } from './scenarios.ts';

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The load-tests folder. */
  readonly folder: string;
  /** Where --install-k6 puts it. */
  readonly ownFolder: string;
  readonly out: (text: string) => void;
  readonly say: (text: string) => void;
}

/** What `npm run load` does; resolves with the code to exit with, which is k6's where it ran. */
export async function main(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const { env, folder, ownFolder, out, say } = surroundings;
  const scenarios = listScenarios(join(folder, 'scenarios'));
  const request = readArguments(
    args,
    scenarios.map(({ name }) => name),
  );
  switch (request.kind) {
    case 'list':
      out(usage(scenarios));
      return 0;
    case 'bad':
      say(`load: ${request.problem}\n\n${usage(scenarios)}`);
      return 2;
    case 'install': {
      const problem = installK6(ownFolder, env);
      if (problem !== undefined) say(`load: ${problem}`);
      return problem === undefined ? 0 : 1;
    }
    case 'run': {
      const search = findK6({ env, ownFolder });
      if (search.found === undefined) {
        say(howToGetK6(search.looked));
        return 1;
      }
      const userId =
        process.getuid === undefined ? undefined : `${process.getuid()}:${process.getgid?.() ?? 0}`;
      mkdirSync(env['OUT_DIR'] || join(folder, 'out'), { recursive: true });
      const command = commandOf(search.found, { request, folder, env, platform: process.platform, userId });
      return run(command, surroundings);
    }
  }
}

function usage(scenarios: readonly Scenario[]): string {
  return [
    'Usage:',
    '  npm run load -- SCENARIO [--prometheus-rw URL] [k6 flags]',
    '  npm run load -- --install-k6        build k6 with Go into load-tests/.k6',
    '',
    'Scenarios:',
    ...scenarios.map(({ name, description }) => `  ${name.padEnd(12)}${description}`),
    '',
    'RATE, DURATION_SECONDS, BASE_URL and CHAOS_SECONDS change them: see load-tests/README.md',
  ].join('\n');
}

/** Resolves with the code to exit with; a signal ends k6 gently, with its report. */
function run({ program, args, env: more }: Command, { env, say }: Surroundings): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: 'inherit', env: { ...env, ...more } });
    // a terminal's Ctrl-C reaches k6 by itself, and a second one would cut its report off
    process.on('SIGINT', () => (process.stdin.isTTY ? undefined : child.kill('SIGINT')));
    process.on('SIGTERM', () => child.kill('SIGTERM'));
    child.on('error', (error) => {
      say(`load: ${program} cannot be run: ${error.message}`);
      resolve(1);
    });
    child.on('exit', (code) => resolve(code ?? 1));
  });
}
