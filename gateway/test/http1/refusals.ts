import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { exchangeRaw, type RawClient } from '../support/raw-client.ts';
import { answer, type PlanChanges, stage } from '../support/stage.ts';

/** A request that must be refused before anything of it is sent anywhere. */
export interface Refusal {
  readonly name: string;
  /** Everything the client sends, in one write. */
  readonly bytes: string;
  readonly code: string;
  /** 400 unless said otherwise. */
  readonly status?: number;
}

/** One answer of the gateway's own, complete and the last on its connection. */
export function assertRefused(answered: string, status: number, code: string): void {
  const [head = '', body = ''] = splitHead(answered);
  assert.match(head, new RegExp(`^HTTP/1\\.1 ${status} `), JSON.stringify(answered));
  assert.match(head, /\r\nConnection: close(\r\n|$)/);
  assert.match(head, /\r\nContent-Type: application\/problem\+json\r\n/);
  assert.match(head, new RegExp(`\\r\\nProxy-Status: portway; error=[a-z_]+; details="${code}"\\r\\n`));
  assert.equal(
    /\r\nContent-Length: (\d+)/.exec(head)?.[1],
    String(body.length),
    'one answer and nothing after it',
  );
  const problem = JSON.parse(body) as {
    readonly status: number;
    readonly code: string;
    readonly title: string;
  };
  assert.equal(problem.status, status);
  assert.equal(problem.code, code);
  assert.ok(problem.title.length > 0);
}

export function splitHead(answered: string): [string, string] {
  const at = answered.indexOf('\r\n\r\n');
  return at < 0 ? [answered, ''] : [answered.slice(0, at), answered.slice(at + 4)];
}

/**
 * A table of bad requests: each is answered with its code, the connection is closed, and no backend hears of it. Behind each
 * there is a good request, which must not be served either: nobody can say where it starts.
 */
export function refusesEach(title: string, refusals: readonly Refusal[], changes: PlanChanges = {}): void {
  test(title, async (t) => {
    const { port, backend } = await stage(t, answer(), changes);
    for (const { name, bytes, code, status = 400 } of refusals) {
      await t.test(name, async () => {
        const answered = await exchangeRaw(port, `${bytes}GET /second HTTP/1.1\r\nHost: a\r\n\r\n`);
        assertRefused(answered, status, code);
        assert.equal(backend.connections.length, 0);
      });
    }
  });
}

/** What a client gets until its connection is broken off; fails when the end looks like that of a complete answer. */
export async function brokenOff(client: RawClient): Promise<string> {
  if (!client.closed) await new Promise((resolve) => client.socket.once('close', resolve));
  assert.equal(client.ended, false, `FIN, not a reset, after ${JSON.stringify(client.received)}`);
  assert.equal(client.error?.code, 'ECONNRESET');
  return client.received;
}

/** A table of good requests: each is answered with 200, and what the backend receives is looked at. */
export interface Acceptance {
  readonly name: string;
  readonly bytes: string;
  /** What the backend's copy must match. */
  readonly forwarded?: RegExp;
  readonly notForwarded?: RegExp;
  /** What the client's answer must match. */
  readonly answered?: RegExp;
}

export async function accepts(
  t: TestContext,
  rows: readonly Acceptance[],
  changes: PlanChanges = {},
): Promise<void> {
  for (const { name, bytes, forwarded, notForwarded, answered: expected } of rows) {
    await t.test(name, async (row) => {
      const { client, backend } = await stage(row, answer(), changes);
      const browser = await client();
      const answered = await browser.send(bytes).contains('\r\n\r\nok');
      assert.match(answered, expected ?? /^HTTP\/1\.1 200 OK\r\n/);
      if (forwarded !== undefined) assert.match(backend.received, forwarded);
      if (notForwarded !== undefined) assert.doesNotMatch(backend.received, notForwarded);
    });
  }
}
