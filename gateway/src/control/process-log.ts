import type { Clock } from '../time.ts';
import { LineWriter } from './access-log/line-writer.ts';
import { LOG_LEVELS, type LogPlan } from './control-plan.ts';
import type { Log } from './log.ts';

type Level = Parameters<Log>[0];

/** Puts one message into a line, or into several, and these where they belong. */
type Say = (level: Level, message: string) => void;

/**
 * What the process says of itself, by `log` of the config: for people, with warnings and errors on stderr; or as JSON, all of
 * it on stdout. Stdout is written by the writer that the access log may use too, so that lines of both stay whole.
 */
export class ProcessLog {
  readonly stdout: LineWriter;
  readonly log: Log = (level, message) => {
    if (LOG_LEVELS.indexOf(level) <= this.#least) this.#say(level, message);
  };
  readonly #err: (line: string) => void;
  #least: number = LOG_LEVELS.length;
  #say: Say;

  constructor(clock: Clock, fd: number, err: (line: string) => void) {
    this.#err = err;
    this.#say = (level, message) => this.#text(level, message);
    this.stdout = new LineWriter(fd, {
      clock,
      name: 'stdout',
      // what cannot be written there cannot be said there
      log: (level, message) => this.#err(`portway: ${level}: ${message}\n`),
    });
  }

  async follow({ format, level }: LogPlan): Promise<void> {
    this.#say = format === 'json' ? await this.#json() : (said, message) => this.#text(said, message);
    this.#least = LOG_LEVELS.indexOf(level);
  }

  /** Writes what is left. */
  async close(): Promise<void> {
    await this.stdout.close();
  }

  /** One line each, whatever is quoted in it. */
  #text(level: Level, message: string): void {
    const line = message.replace(LINE_BREAKERS, escaped);
    if (level === 'info') this.#out(`portway: ${line}\n`);
    else this.#err(`portway: ${level}: ${line}\n`);
  }

  /** pino takes a while to load: only where it is wanted. */
  async #json(): Promise<Say> {
    const { pino } = await import('pino');
    const logger = pino(
      {
        base: null,
        timestamp: pino.stdTimeFunctions.isoTime,
        formatters: { level: (label) => ({ level: label }) },
      },
      { write: (line) => this.#out(line) },
    );
    return (level, message) => logger[level](message);
  }

  #out(line: string): void {
    this.stdout.write(Buffer.from(line, 'utf8').toString('latin1'));
    this.stdout.flush();
  }
}

const LINE_BREAKERS = /[\p{Cc}\u2028\u2029]/gu;

function escaped(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
