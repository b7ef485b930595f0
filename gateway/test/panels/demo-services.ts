import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ServiceKeeper } from '../../../services/shared/src/launcher/service-keeper.ts';
import { freePort } from '../restarts/free-port.ts';

/** By the variables that the load tests find them by; all of the demo's, for what has no variable is looked for at its usual port. */
const INSTANCES = {
  WEB_PORT: 'web',
  DB_PORT_1: 'db',
  DB_PORT_2: 'db',
  DB_PORT_3: 'db',
  FILES_PORT_1: 'files',
  FILES_PORT_2: 'files',
  CHAT_PORT_1: 'chat',
  CHAT_PORT_2: 'chat',
} as const;

type ServiceName = (typeof INSTANCES)[keyof typeof INSTANCES];

export interface DemoServices {
  /** Where each is, for the load tests. */
  readonly env: Readonly<Record<string, string>>;
  /** The URLs of a service's instances. */
  readonly urls: (service: ServiceName) => readonly string[];
}

/** The demo's services as processes of their own, which end with the test; resolves when they are well. */
export async function startDemoServices(t: TestContext): Promise<DemoServices> {
  const folder = mkdtempSync(join(tmpdir(), 'portway-panels-'));
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  const placed: { variable: string; service: ServiceName; port: number }[] = [];
  for (const [variable, service] of Object.entries(INSTANCES))
    placed.push({ variable, service, port: await freePort() });
  const keepers = placed.map(({ service, port }) => keep(service, port, folder));
  t.after(() => Promise.all(keepers.map(end)));
  await Promise.all(keepers.map((keeper) => keeper.untilHealthy(t.signal)));
  return {
    env: Object.fromEntries(placed.map(({ variable, port }) => [variable, String(port)])),
    urls: (wanted) =>
      placed.filter(({ service }) => service === wanted).map(({ port }) => `http://127.0.0.1:${port}`),
  };
}

/** One that ends is started again, as a container would be. */
function keep(service: ServiceName, port: number, folder: string): ServiceKeeper {
  const label = `${service}-${port}`;
  return new ServiceKeeper({
    instance: { service, port, label },
    entry: fileURLToPath(new URL(`../../../services/${service}/src/main.ts`, import.meta.url)),
    env: {
      ...process.env,
      PORT: String(port),
      HOST: '127.0.0.1',
      INSTANCE: label,
      DB_FILE: join(folder, 'items.sqlite'),
      FILES_DIR: join(folder, 'files'),
    },
    say: () => {},
  });
}

/** At once: nothing is lost that anybody wants. */
async function end(keeper: ServiceKeeper): Promise<void> {
  const stopped = keeper.stop();
  keeper.kill();
  await stopped;
}
