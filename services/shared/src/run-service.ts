import { rmSync } from 'node:fs';
import type { FastifyInstance } from 'fastify';
import type { ServiceOptions } from './service.ts';
import { realSurroundings } from './surroundings.ts';

/** How long in-flight requests get to finish once the process was told to stop. */
const CLOSE_DEADLINE_MS = 5_000;

export interface ServiceProcess {
  readonly service: string;
  readonly defaultPort: number;
  readonly build: (options: ServiceOptions) => FastifyInstance | Promise<FastifyInstance>;
}

/**
 * The main function of a demo service: listens on HOST:PORT and closes on SIGTERM, SIGINT or the end of its
 * parent. Exits with 1 when it cannot listen or when the deadline cut requests off.
 */
export async function runService({ service, defaultPort, build }: ServiceProcess): Promise<void> {
  const name = process.env['INSTANCE'] || undefined;
  const host = process.env['HOST'] || '127.0.0.1';
  const port = Number(process.env['PORT'] || defaultPort);
  // the launcher may be gone and our output with it; that must not end us in the middle of a request
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  const exit = (code: number) => process.exit(code);
  try {
    if (!Number.isInteger(port) || port < 0 || port > 65_535)
      throw new Error(`PORT must be 0 to 65535, not '${process.env['PORT']}'`);
    const app = await build({ ...realSurroundings(), exit, instance: name });
    stopOnSignals(app);
    const url = await app.listen({ host, port });
    process.stdout.write(`${service}: listening on ${url}, pid ${process.pid}\n`);
  } catch (error) {
    process.stderr.write(
      `${name ?? `${service}-${port}`}: ${error instanceof Error ? error.message : String(error)}\n`,
    );
    exit(1);
  }
}

function stopOnSignals(app: FastifyInstance): void {
  let stopping = false;
  const stop = (afterwards: () => void) => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => process.exit(1), CLOSE_DEADLINE_MS).unref();
    app.close().then(
      () => {
        afterwards();
        process.exit(0);
      },
      () => process.exit(1),
    );
  };
  const nothing = () => undefined;
  process.on('SIGTERM', () => stop(nothing));
  // Ctrl-C reaches the whole process group at once. Under the launcher the gateway has to stop first, so the
  // launcher's SIGTERM is waited for.
  process.on('SIGINT', () => (process.connected ? undefined : stop(nothing)));
  process.on('disconnect', () => stop(removeDemoFolder));
  // false, not undefined: there was a parent, and it died while we were loading
  if (process.connected === false) stop(removeDemoFolder);
}

/** A launcher that was killed could not remove its temporary files, so those who outlive it do. */
function removeDemoFolder(): void {
  const folder = process.env['PORTWAY_DEMO_FOLDER'];
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 });
}
