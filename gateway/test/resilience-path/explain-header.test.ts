import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { eventually } from '../relay/gateway-in-test.ts';
import { sha256 } from '../relay/pattern.ts';
import { EJECTION, retryPlan } from '../support/plans.ts';
import { EAGER, type Path, type PathOptions, type Reply, refTo, startPath } from './path-stage.ts';
import { type Behaviour, failing, hang, ok, reset } from './scripted-backend.ts';

const TOKEN = 'a token that only operators know';
const DIGEST = sha256(TOKEN);

interface Told {
  readonly route?: string;
  readonly service?: string;
  readonly backend?: string;
  readonly decisions: readonly string[];
  readonly excluded: Readonly<Record<string, string>>;
  readonly moreExcluded?: number;
  readonly failOpen?: boolean;
}

function startAsked(
  t: TestContext,
  behaviours: readonly Behaviour[],
  options: PathOptions = {},
): Promise<Path> {
  return startPath(t, behaviours, { explainTokenSha256: DIGEST, ...options });
}

const asking = (token = TOKEN, target = '/'): string =>
  `GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Portway-Explain: ${token}\r\n\r\n`;

const lineOf = ({ head }: Reply): string | undefined => /\r\nx-portway-explain: ([^\r]*)/i.exec(head)?.[1];

function toldBy(reply: Reply): Told {
  const line = lineOf(reply);
  assert.ok(line !== undefined, reply.head);
  assert.match(line, /^[\x20-\x7e]+$/);
  return JSON.parse(line) as Told;
}

test('with the token, the answer says where the request went', async (t) => {
  const path = await startAsked(t, [ok]);
  const { backend } = refTo(path, 0);
  const reply = await path.ask(asking());
  assert.deepEqual([reply.status, reply.body], [200, 'ok']);
  assert.deepEqual(toldBy(reply), {
    route: '/',
    service: 'web',
    backend,
    decisions: [`to ${backend}`],
    excluded: {},
    failOpen: false,
  });
  await path.quiet();
});

test('without it, with a wrong one, or where none is configured: not a word', async (t) => {
  const path = await startAsked(t, [ok]);
  for (const token of ['', 'x', TOKEN.slice(1), `${TOKEN}x`, TOKEN.toUpperCase(), DIGEST])
    assert.equal(lineOf(await path.ask(asking(token))), undefined, token);
  assert.equal(lineOf(await path.ask()), undefined);
  const twice = asking().replace('X-Portway', `x-portway-explain: ${TOKEN}\r\nX-Portway`);
  assert.equal(lineOf(await path.ask(twice)), undefined);
  await path.quiet();

  const without = await startPath(t, [ok]);
  assert.equal(lineOf(await without.ask(asking())), undefined);
  await without.quiet();
});

test('the token never reaches a backend, nor a backend’s own words the client', async (t) => {
  const path = await startAsked(t, [failing(200, 'X-Portway-Explain: lies\r\nx-portway-EXPLAIN: more\r\n')]);
  for (const token of [TOKEN, 'wrong']) {
    const reply = await path.ask(asking(token));
    assert.doesNotMatch(reply.head, /lies|more/);
  }
  for (const { head } of path.servers[0]?.asked ?? []) assert.doesNotMatch(head, /explain|token|wrong/i);
  assert.equal(path.counts[0], 2);
  await path.quiet();
});

test('after retries: each attempt, what became of it, and where the answer is from', async (t) => {
  let turn = 0;
  const behave: Behaviour = (asked) => {
    turn += 1;
    if (turn === 1) reset(asked);
    else if (turn === 2) failing(503)(asked);
    else ok(asked);
  };
  const path = await startAsked(t, [behave, behave, behave], { service: { retry: EAGER } });
  const told = toldBy(await path.ask(asking()));
  const [first, second, third] = path.exchanges[0]?.tried?.map(({ name }) => name) ?? [];
  assert.equal(third, undefined);
  assert.deepEqual(told.decisions, [
    `to ${first}`,
    `backend_closed at ${first}`,
    'retry after reset: retried',
    `to ${second}`,
    'retry after 503: retried',
    `to ${told.backend}`,
  ]);
  assert.notEqual(told.backend, second);
  await path.quiet();
});

test('each excluded backend with its reason', async (t) => {
  const path = await startAsked(t, [ok, ok, reset], {
    service: { ejection: { ...EJECTION, consecutiveFailures: 1 }, balance: { kind: 'round-robin' } },
  });
  for (let i = 0; i < 3; i++) await path.ask();
  path.data.setAdmin(refTo(path, 0), 'draining');
  const told = toldBy(await path.ask(asking()));
  assert.equal(told.backend, refTo(path, 1).backend);
  assert.deepEqual(
    Object.keys(told.excluded).sort(),
    [refTo(path, 0).backend, refTo(path, 2).backend].sort(),
  );
  assert.equal(told.excluded[refTo(path, 0).backend], 'draining by the operator');
  assert.match(
    told.excluded[refTo(path, 2).backend] ?? '',
    /^ejected until \d\d:\d\d:\d\d UTC: 1 failures in a row \(backend_closed\)$/,
  );
  await path.quiet();
});

test('refusals are explained too: no route, no backend, overload, failure', async (t) => {
  const path = await startAsked(t, [reset], {
    service: {
      retry: retryPlan(),
      concurrency: { max: 1, queue: 0, queueTimeoutMs: 1_000, adaptive: false },
    },
    route: { path: '/in' },
  });
  const [server] = path.servers;
  assert.ok(server !== undefined);
  const lost = await path.ask(asking(TOKEN, '/out'));
  assert.equal(lost.status, 404);
  assert.deepEqual(toldBy(lost), { decisions: [], excluded: {} });

  const failed = await path.ask(asking(TOKEN, '/in'));
  assert.equal(failed.status, 502);
  assert.deepEqual(toldBy(failed).decisions, [
    `to ${server.name}`,
    `backend_closed at ${server.name}`,
    'retry after reset: no_other_backend',
  ]);

  server.behave = hang;
  const holding = await path.client();
  holding.send('GET /in HTTP/1.1\r\nHost: a\r\n\r\n');
  await server.askedTimes(2);
  const shed = await path.ask(asking(TOKEN, '/in'));
  assert.equal(shed.status, 503);
  assert.deepEqual(toldBy(shed), {
    route: '/',
    service: 'web',
    decisions: [],
    excluded: {},
    failOpen: false,
  });
  holding.socket.resetAndDestroy();
  await eventually(() => path.service.limit?.inFlight === 0);

  path.data.setAdmin(refTo(path, 0), 'disabled');
  const none = await path.ask(asking(TOKEN, '/in'));
  assert.equal(none.status, 503);
  assert.deepEqual(toldBy(none).excluded, { [server.name]: 'disabled by the operator' });
  await path.quiet();
});

test('a hedge is told of', async (t) => {
  let turn = 0;
  const behave: Behaviour = (asked) => (turn++ === 0 ? hang(asked) : ok(asked));
  const path = await startAsked(t, [behave, behave], {
    service: { retry: retryPlan({ hedge: { kind: 'after', afterMs: 5 } }) },
  });
  const told = toldBy(await path.ask(asking()));
  assert.deepEqual(told.decisions.slice(1), [`hedge to ${told.backend}`, 'hedge answered first']);
  await path.quiet();
});

test('reasons in any language arrive as ASCII, and as they were', async (t) => {
  const path = await startAsked(t, [ok, ok]);
  const reason = '2 of 3 — größer als „50 %“ \u{1f525}\r\nSet-Cookie: a=b\x7f';
  path.data.setFleetBreaker(refTo(path, 0), reason);
  const reply = await path.ask(asking());
  assert.equal(toldBy(reply).excluded[refTo(path, 0).backend], `breaker open in the fleet: ${reason}`);
  assert.doesNotMatch(reply.head, /\r\nSet-Cookie/i);
  await path.quiet();
});

test('of very many excluded backends so many are told as fit a header, and JSON it stays', async (t) => {
  const path = await startAsked(
    t,
    Array.from({ length: 60 }, () => ok),
  );
  for (let index = 0; index < 59; index++)
    path.data.setFleetBreaker(refTo(path, index), `a reason that goes on and on for backend ${index}`);
  const reply = await path.ask(asking());
  assert.ok((lineOf(reply)?.length ?? 0) <= 4_096);
  const told = toldBy(reply);
  assert.equal(told.backend, refTo(path, 59).backend);
  const listed = Object.keys(told.excluded).length;
  assert.ok(listed > 15, `${listed}`);
  assert.equal(listed + (told.moreExcluded ?? 0), 59);
  await path.quiet();
});
