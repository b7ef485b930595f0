import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { eventually } from '../relay/gateway-in-test.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { EJECTION, retryPlan } from '../support/plans.ts';
import { backendAt, GET, type Path, type PathOptions, refTo, startPath } from './path-stage.ts';
import { answer, type Behaviour, failing, hang, ok, reset } from './scripted-backend.ts';

/** On virtual time, one backend after the other, no retries. */
async function startEjecting(
  t: TestContext,
  behaviours: readonly Behaviour[],
  service: PathOptions['service'] = {},
): Promise<Path & { readonly clock: ManualClock }> {
  const clock = new ManualClock();
  const path = await startPath(t, behaviours, {
    clock,
    random: () => 0.5,
    service: { balance: { kind: 'round-robin' }, retry: undefined, ejection: EJECTION, ...service },
  });
  return Object.assign(path, { clock });
}

async function askTimes(path: Path, times: number): Promise<readonly number[]> {
  const statuses: number[] = [];
  for (let i = 0; i < times; i++) statuses.push((await path.ask()).status);
  return statuses;
}

const ejections = (path: Path) => path.events.filter(({ kind }) => kind === 'ejected');

for (const [what, behaviour, reason] of [
  ['answers of 500', failing(500), '5 failures in a row (status 500)'],
  ['resets', reset, '5 failures in a row (backend_closed)'],
] as const) {
  test(`5 ${what} in a row eject a backend, and not 4`, async (t) => {
    const path = await startEjecting(t, [behaviour, ok, ok]);
    await askTimes(path, 12);
    assert.deepEqual(ejections(path), []);
    await askTimes(path, 6);
    assert.deepEqual(ejections(path), [{ kind: 'ejected', reason, forMs: 10_000, ...refTo(path, 0) }]);
    assert.equal(path.counts[0], 5);
    assert.equal(backendAt(path, 0).excludedBy, 'ejection');
    await path.quiet();
  });
}

test('what says something of the request rather than of the server ejects nobody', async (t) => {
  for (const status of [400, 404, 499, 501, 505]) {
    const path = await startEjecting(t, [failing(status), ok]);
    await askTimes(path, 12);
    assert.deepEqual(ejections(path), [], `${status}`);
    await path.quiet();
  }
});

test('one success ends the row, but a failure rate ejects all the same', async (t) => {
  let turn = 0;
  const path = await startEjecting(t, [
    (asked) => (turn++ % 3 === 2 ? ok(asked) : failing(503)(asked)),
    ok,
    ok,
  ]);
  await askTimes(path, 57);
  assert.deepEqual(ejections(path), []);
  await askTimes(path, 6);
  const [event] = path.events;
  assert.equal(event?.kind === 'ejected' && event.reason, '70 % of 20 requests failed');
  assert.equal(path.counts[0], 20);
  await path.quiet();
});

test('a refused connect ejects at once, for about a second, and asks for a probe', async (t) => {
  const path = await startEjecting(t, [ok, ok, ok], {
    retry: retryPlan({ attempts: 0 }),
  });
  await path.servers[0]?.stop();
  assert.deepEqual(await askTimes(path, 3), [200, 200, 200]);
  const ref = refTo(path, 0);
  assert.deepEqual(path.events, [
    { kind: 'ejected', reason: 'connect_refused', forMs: 1_000, ...ref },
    { kind: 'ineligible', by: 'ejection', reason: backendAt(path, 0).reason, ...ref },
    { kind: 'connect-failed', ...ref },
  ]);
  path.clock.advance(1_100);
  assert.equal(backendAt(path, 0).eligible, true);
  assert.deepEqual(await askTimes(path, 3), [200, 200, 200]);
  const [, second] = ejections(path);
  assert.equal(second?.kind === 'ejected' && second.forMs, 2_000, 'again at once, and for longer');
  await path.quiet();
});

test('no more than the share of a service is ejected, and what would be over it goes on failing', async (t) => {
  const path = await startEjecting(t, [failing(500), failing(500), failing(500), ok], {
    ejection: { ...EJECTION, consecutiveFailures: 2, maxPercent: 50 },
  });
  await askTimes(path, 40);
  assert.equal(ejections(path).length, 2);
  assert.equal(path.status().eligible, 2);
  await path.quiet();
});

test('the last eligible backend is never ejected, however it fails', async (t) => {
  const path = await startEjecting(t, [reset, reset], {
    ejection: { ...EJECTION, consecutiveFailures: 1, maxPercent: 100 },
  });
  await askTimes(path, 10);
  assert.equal(ejections(path).length, 1);
  assert.equal(path.status().eligible, 1);
  path.data.setAdmin(refTo(path, 0), 'draining');
  path.data.setAdmin(refTo(path, 1), 'draining');
  assert.equal(path.status().eligible, 0);
  await path.quiet();
});

test('it returns when the time is over, is told to, and starts with a clean slate', async (t) => {
  const path = await startEjecting(t, [failing(500), ok]);
  await askTimes(path, 10);
  path.clock.advance(9_900);
  assert.equal(backendAt(path, 0).eligible, false);
  path.clock.advance(300);
  assert.equal(backendAt(path, 0).eligible, true);
  assert.equal(path.events.at(-1)?.kind, 'eligible');
  const before = path.counts[0] ?? 0;
  await askTimes(path, 8);
  assert.equal(path.counts[0], before + 4);
  assert.equal(ejections(path).length, 1, 'four failures are not five');
  await askTimes(path, 2);
  assert.equal(ejections(path).length, 2);
  await path.quiet();
});

test('answers that come after the ejection neither lengthen nor end it', async (t) => {
  const path = await startEjecting(t, [hang, ok]);
  const [slow] = path.servers;
  assert.ok(slow !== undefined);
  const clients = await Promise.all(Array.from({ length: 14 }, () => path.client()));
  for (const client of clients) client.send(GET);
  await slow.askedTimes(7);
  for (const asked of slow.asked.slice(0, 5)) answer(asked, 500, 'late');
  await eventually(() => !backendAt(path, 0).eligible);
  const { ejectedUntilMs } = backendAt(path, 0);
  const [good, bad] = slow.asked.slice(5);
  assert.ok(good !== undefined && bad !== undefined);
  answer(bad, 500, 'later');
  answer(good, 200, 'later');
  await Promise.all(clients.map((client) => client.end()));
  assert.equal(backendAt(path, 0).ejectedUntilMs, ejectedUntilMs);
  assert.equal(backendAt(path, 0).excludedBy, 'ejection');
  assert.equal(path.exchanges.length, 14);
  await path.quiet();
});

test('a client that leaves is held against nobody', async (t) => {
  const path = await startEjecting(t, [hang, hang]);
  for (let i = 0; i < 12; i++) {
    const client = await path.client();
    client.send(GET);
    await eventually(() => (path.counts[0] ?? 0) + (path.counts[1] ?? 0) === i + 1);
    client.socket.resetAndDestroy();
  }
  await eventually(() => path.exchanges.length === 12);
  assert.deepEqual(path.events, []);
  await path.quiet();
});
