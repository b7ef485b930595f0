import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { checkCommand } from './control/config/check-command.ts';
import { EMBEDDED_CONFIG } from './control/config/embedded.ts';
import { formatProblem, type LoadedConfig, loadConfig } from './control/config/load.ts';
import { schemaCommand } from './control/config/schema-command.ts';
import { createGateway, type Gateway } from './gateway.ts';

const USAGE = `Usage:
  portway start [--config FILE]   run the gateway (without --config: the demo's embedded config)
  portway check FILE              read a config and say all that is wrong with it
  portway schema                  print the config's JSON Schema, for editors
`;

const readFile = (path: string): string => readFileSync(path, 'utf8');
const out = (text: string): void => void process.stdout.write(text);
const say = (text: string): void => void process.stderr.write(`${text}\n`);

async function main(args: readonly string[]): Promise<number | undefined> {
  const [command, ...rest] = args;
  switch (command) {
    case 'start':
      return start(rest);
    case 'check':
      if (rest.length !== 1 || rest[0] === undefined) return usage('check takes one FILE');
      return checkCommand(rest[0], { readFile, env: process.env, write: out });
    case 'schema':
      return schemaCommand({ write: out });
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
  const loaded = load(file);
  if (loaded === undefined) return 1;
  const problems = loaded.ok ? loaded.warnings : loaded.problems;
  for (const problem of problems) say(formatProblem(problem));
  if (!loaded.ok) return 1;
  try {
    const gateway = await createGateway(loaded.plan);
    for (const url of gateway.urls) out(`portway: listening on ${url}\n`);
    stopOnSignals(gateway);
    return undefined;
  } catch (error) {
    say(`portway: ${listenProblem(error)}`);
    return 1;
  }
}

function load(file: string | undefined): LoadedConfig | undefined {
  let text = EMBEDDED_CONFIG;
  if (file !== undefined) {
    try {
      text = readFile(file);
    } catch (error) {
      say(`portway: cannot read ${file}: ${(error as Error).message}`);
      return undefined;
    }
  }
  return loadConfig({ text, file: file ?? '(embedded config)' }, { env: process.env, readFile });
}

function listenProblem(error: unknown): string {
  const { code, address, port, message } = error as NodeJS.ErrnoException & {
    address?: string;
    port?: number;
  };
  const where = `${address}:${port}`;
  if (code === 'EADDRINUSE')
    return `${where} is in use: end what listens there, or set another address under listeners (the demo: PORTWAY_PORT)`;
  if (code === 'EACCES')
    return `${where} may not be listened on: ports below 1024 need privileges; choose another under listeners`;
  if (code === 'EADDRNOTAVAIL') return `${where} is not an address of this machine; check listeners`;
  return message;
}

/** SIGTERM and SIGINT drain; a second one ends at once. So does the end of a parent that started us with IPC. */
function stopOnSignals(gateway: Gateway): void {
  let stopping = false;
  const stop = (): void => {
    if (stopping) process.exit(1);
    stopping = true;
    gateway.stop().then(() => process.exit(0));
  };
  const onDisconnect = (): void => (stopping ? undefined : stop());
  process.on('SIGTERM', stop);
  // a terminal's Ctrl-C reaches a launcher too, which then stops us in its order
  process.on('SIGINT', () => (process.connected === true ? undefined : stop()));
  process.on('disconnect', onDisconnect);
  // it may have ended before anybody listened
  if (process.channel !== undefined && process.connected === false) stop();
}

// nobody may read what we say (a closed pipe); that is no reason to stop
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});
process.exitCode = await main(process.argv.slice(2));
