import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { stage } from '../../support/stage.ts';
import { executed, LENIENCIES, type Leniency } from './lenient-backend.ts';

export interface Attack {
  readonly name: string;
  readonly bytes: string;
  /** The gateway's answer to it; left out when the request is a good one, to be framed so that nobody can misread it. */
  readonly code?: string;
  readonly status?: number;
  /** What may be executed, in order; nothing when left out. */
  readonly executes?: readonly string[];
}

export const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';

/** A POST with these field lines and this body. */
export const post = (fields: readonly string[], body: string): string =>
  `POST /open HTTP/1.1\r\n${['Host: a', ...fields].join('\r\n')}\r\n\r\n${body}`;

interface Outcome {
  readonly answered: string;
  readonly requests: readonly string[];
  readonly connections: number;
}

/** Sends `bytes` to a gateway before a lenient backend, then FIN; what came back and what was executed. */
async function attempt(t: TestContext, bytes: string, leniency: Leniency): Promise<Outcome> {
  const done = new Map<object, number>();
  const { client, backend } = await stage(t, (connection) => {
    const requests = executed(connection.received, leniency);
    for (let i = done.get(connection) ?? 0; i < requests.length; i++) {
      connection.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    }
    done.set(connection, requests.length);
  });
  const browser = await client();
  browser.socket.end(bytes, 'latin1');
  const answered = (await browser.end()).replaceAll('HTTP/1.1 102 Processing\r\n\r\n', '');
  const requests = backend.connections.flatMap(({ received }) => executed(received, leniency));
  return { answered, requests, connections: backend.connections.length };
}

/** A table of attacks, each tried before every lenient backend: none ever executes more than what the gateway routed. */
export function neverSmuggled(
  title: string,
  attacks: readonly Attack[],
  leniencies: readonly Leniency[] = LENIENCIES,
): void {
  test(title, async (t) => {
    for (const { name, bytes, code, status = 400, executes = [] } of attacks) {
      await t.test(name, async (row) => {
        for (const leniency of leniencies) {
          const { answered, requests } = await attempt(row, bytes, leniency);
          assert.deepEqual(requests, executes);
          if (code === undefined) continue;
          assert.match(answered, new RegExp(`(^|ok)HTTP/1\\.1 ${status} `), JSON.stringify(answered));
          assert.match(answered, new RegExp(`"code":"${code}"[^}]*\\}\\n$`), JSON.stringify(answered));
        }
      });
    }
  });
}

/** For an attack that needs no gateway to be wrong: some lenient backend does execute it when nobody stands before it. */
export function worksWithoutGateway(bytes: string, leniencies: readonly Leniency[] = LENIENCIES): boolean {
  return leniencies.some((leniency) =>
    executed(bytes, leniency).some((request) => request.endsWith('/smuggled')),
  );
}
