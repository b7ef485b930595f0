import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { checkCommand } from './control/config/check-command.ts';
import { EMBEDDED_CONFIG } from './control/config/embedded.ts';
import { formatProblem, type LoadedConfig, loadConfig } from './control/config/load.ts';
import { schemaCommand } from './control/config/schema-command.ts';
import { explainCommand } from './control/explain-command.ts';
import type { Log } from './control/log.ts';
import { ProcessLog } from './control/process-log.ts';
import { FileWatch } from './control/reload/file-watch.ts';
import { listenProblem } from './control/reload/listen-problem.ts';
import { watchedFiles } from './control/reload/watched-files.ts';
import { createGateway, type Gateway, offlineExplain } from './gateway.ts';
import { systemClock } from './time.ts';

const USAGE = `Usage:
  portway start [--config FILE]   run the gateway (without --config: the demo's embedded config)
  portway check FILE              read a config and say all that is wrong with it
  portway explain METHOD URL      say where a request would go, and why (portway explain --help)
  portway schema                  print the config's JSON Schema, for editors
`;

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  readonly version: string;
};

const readFile = (path: string): string => readFileSync(path, 'utf8');
const loading = () => ({ env: process.env, readFile, nowMs: systemClock.wallNow() });
const out = (text: string): void => void process.stdout.write(text);
const say = (text: string): void => void process.stderr.write(`${text}\n`);

async function main(args: readonly string[]): Promise<number | undefined> {
  const [command, ...rest] = args;
  switch (command) {
    case 'start':
      return start(rest);
    case 'check':
      if (rest.length !== 1 || rest[0] === undefined) return usage('check takes one FILE');
      return checkCommand(rest[0], { ...loading(), write: out });
    case 'schema':
      return schemaCommand({ write: out });
    case 'explain':
      return explainCommand(rest, { ...loading(), write: out, offline: offlineExplain });
    case 'help':
    case '--help':
    case '-h':
      out(USAGE);
      return 0;
    default:
      return usage(command === undefined ? 'a command is missing' : `there is no command '${command}'`);
  }
}

function usage(problem: string): number {
  say(`portway: ${problem}\n${USAGE}`);
  return 2;
}

async function start(args: readonly string[]): Promise<number | undefined> {
  let file: string | undefined;
  try {
    file = parseArgs({ args: [...args], options: { config: { type: 'string', short: 'c' } } }).values.config;
  } catch (error) {
    return usage((error as Error).message);
  }
  const voice = new ProcessLog(systemClock, process.stdout.fd, (line) => void process.stderr.write(line));
  const { log } = voice;
  const watch = file === undefined ? undefined : await watchFile(file, log);
  const loaded = load(file);
  if (loaded === undefined) return 1;
  const problems = loaded.ok ? loaded.warnings : loaded.problems;
  for (const problem of problems) say(formatProblem(problem));
  if (!loaded.ok) return 1;
  const running: Running = { gateway: undefined, voice, stopping: false, hungUp: false };
  listenToSignals(running);
  const follow = ({ config, control: { log: plan } }: Loaded): void => {
    void watch?.files.watch(watchedFiles(file ?? '', config));
    void voice.follow(plan);
  };
  try {
    const { plan, control } = loaded;
    await voice.follow(control.log);
    const gateway = await createGateway(plan, {
      control,
      log,
      stdout: voice.stdout,
      version,
      ...(file === undefined ? {} : { load: () => readConfig(file), onReloaded: follow }),
    });
    follow(loaded);
    for (const url of gateway.urls) log('info', `listening on ${url}`);
    if (gateway.adminUrl !== undefined) log('info', `admin API at ${gateway.adminUrl}`);
    running.gateway = gateway;
    stopWithParent(running);
    if (running.hungUp) void gateway.reload('SIGHUP');
    watch?.onChange(() => void gateway.reload('file'));
    return undefined;
  } catch (error) {
    say(
      `portway: ${listenProblem(error)}${file === undefined ? ' (the demo: PORTWAY_PORT, PORTWAY_ADMIN_PORT)' : ''}`,
    );
    return 1;
  }
}

type Loaded = LoadedConfig & { readonly ok: true };

interface Watch {
  readonly files: FileWatch;
  onChange(changed: () => void): void;
}

/** Watches from before the file is read, so that no change falls between the two. */
async function watchFile(file: string, log: Log): Promise<Watch> {
  let changed = (): void => {};
  const files = new FileWatch({ clock: systemClock, log, onChange: () => changed() });
  await files.watch([file]);
  return {
    files,
    onChange: (callback) => {
      changed = callback;
    },
  };
}

/** Undefined, and said so, when the file cannot be read. */
function load(file: string | undefined): LoadedConfig | undefined {
  if (file === undefined) return loadConfig({ text: EMBEDDED_CONFIG, file: '(embedded config)' }, loading());
  try {
    return readConfig(file);
  } catch (error) {
    say(`portway: ${(error as Error).message}`);
    return undefined;
  }
}

/** @throws Error when the file cannot be read */
function readConfig(file: string): LoadedConfig {
  let text: string;
  try {
    text = readFile(file);
  } catch (error) {
    throw new Error(`cannot read ${file}: ${(error as Error).message}`);
  }
  return loadConfig({ text, file }, loading());
}

interface Running {
  /** Undefined while it starts. */
  gateway: Gateway | undefined;
  readonly voice: ProcessLog;
  stopping: boolean;
  /** SIGHUP came while it started. */
  hungUp: boolean;
}

/**
 * SIGTERM and SIGINT drain, or end a start under way; a second one ends at once. SIGHUP reloads and opens the access log
 * anew, as logrotate's usual lines want; SIGUSR2 does only that (nginx has USR1 for it, which is Node's debugger).
 */
function listenToSignals(running: Running): void {
  process.on('SIGTERM', () => stop(running));
  // a terminal's Ctrl-C reaches a launcher too, which then stops us in its order
  process.on('SIGINT', () => (process.connected === true ? undefined : stop(running)));
  process.on('SIGHUP', () => {
    if (running.gateway === undefined) running.hungUp = true;
    else {
      running.gateway.control.reopenLogs();
      void running.gateway.reload('SIGHUP');
    }
  });
  process.on('SIGUSR2', () => running.gateway?.control.reopenLogs());
}

function stop(running: Running): void {
  if (running.stopping) process.exit(1);
  running.stopping = true;
  // nothing was taken yet that would have to be finished
  if (running.gateway === undefined) process.exit(0);
  const { gateway, voice } = running;
  gateway
    .stop()
    .then(() => voice.close())
    .then(
      () => process.exit(0),
      (error: unknown) => {
        say(`portway: ${String(error)}`);
        process.exit(1);
      },
    );
}

/** The end of a parent that started us with IPC is the end of us. */
function stopWithParent(running: Running): void {
  const onDisconnect = (): void => (running.stopping ? undefined : stop(running));
  process.on('disconnect', onDisconnect);
  // it may have ended before anybody listened
  if (process.channel !== undefined && process.connected === false) onDisconnect();
}

// nobody may read what we say (a closed pipe); that is no reason to stop
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});
process.exitCode = await main(process.argv.slice(2));
