import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { AccessLogPlan, ControlPlan } from '../../src/control/control-plan.ts';
import type { Plan } from '../../src/data/plan.ts';
import { createGateway, type Gateway, type GatewayOptions } from '../../src/gateway.ts';
import { RawClient } from '../support/raw-client.ts';

/** A control plane that does nothing but what a test adds. */
export const QUIET: ControlPlan = {
  admin: undefined,
  redis: undefined,
  drain: { delayMs: 0, timeoutMs: 1_000 },
  log: { format: 'text', level: 'info' },
  accessLog: undefined,
  tracing: undefined,
};

export type Entry = Readonly<Record<string, unknown>> & {
  readonly headers?: Readonly<Record<string, string>>;
};

export interface LoggedGateway {
  readonly gateway: Gateway;
  readonly port: number;
  readonly file: string;
  client(): Promise<RawClient>;
  /** Sends one request on a connection of its own; all that comes back. */
  ask(request: string): Promise<string>;
  /** Ends the gateway and reads its log. Throws where a line is not one JSON object. */
  entries(): Promise<readonly Entry[]>;
}

/** A folder that goes with the test. */
export function scratch(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'portway-log-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Starts a gateway that logs all of its requests, unless told otherwise; it ends with the test. */
export async function startLogged(
  t: TestContext,
  plan: Plan,
  changes: Partial<AccessLogPlan> = {},
  options: GatewayOptions = {},
): Promise<LoggedGateway> {
  const file = join(scratch(t), 'access.log');
  const accessLog: AccessLogPlan = {
    mode: 'all',
    sampleRatio: 0.01,
    file,
    headers: [],
    redact: { headers: [], query: [] },
    ...changes,
  };
  const gateway = await createGateway(plan, { control: { ...QUIET, accessLog }, ...options });
  const clients: RawClient[] = [];
  t.after(async () => {
    for (const client of clients) client.socket.destroy();
    await gateway.stop(0);
  });
  const port = gateway.data.listeners[0]?.port ?? 0;
  const client = async (): Promise<RawClient> => {
    const one = await RawClient.open(port);
    clients.push(one);
    return one;
  };
  return {
    gateway,
    port,
    file,
    client,
    ask: async (request) => (await client()).send(request).end(),
    async entries() {
      for (const one of clients) one.socket.destroy();
      await gateway.stop(1_000);
      return entriesOf(readFileSync(file, 'latin1'));
    },
  };
}

/** The lines of a log. Throws where one is not a JSON object of printable ASCII. */
export function entriesOf(text: string): readonly Entry[] {
  if (/[^\x20-\x7e\n]/.test(text)) throw new Error(`not ASCII: ${JSON.stringify(text)}`);
  if (text !== '' && !text.endsWith('\n')) throw new Error('the last line has no end');
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Entry);
}

/** A request on a connection of its own. */
export function request(target: string, fields = '', method = 'GET'): string {
  return `${method} ${target} HTTP/1.1\r\nHost: a.test:80\r\nConnection: close\r\n${fields}\r\n`;
}
