import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProbedBackend } from '../restarts/probed-backend.ts';
import { EJECTION } from '../support/plans.ts';
import { startWithAdmin } from './gateway-with-admin.ts';

test('a backend that refuses live traffic is out at once, unhealthy by a probe soon, and back when it listens again', async (t) => {
  const [steady, restarted] = [
    await ProbedBackend.start(t, 'steady'),
    await ProbedBackend.start(t, 'restarted'),
  ];
  const gateway = await startWithAdmin(t, [steady, restarted], { ejection: EJECTION });
  const answers = [await gateway.ask(), await gateway.ask()];
  assert.deepEqual(answers.sort(), ['restarted', 'steady']);
  const probes = restarted.probes;
  await restarted.stop();

  // the interval of its probes is a minute: only live traffic can tell
  while (gateway.status(restarted).eligible) assert.equal(await gateway.ask(), 'steady');
  assert.equal(gateway.status(restarted).excludedBy, 'ejection');
  assert.match(gateway.status(restarted).reason ?? '', /connect_refused/);
  const outMs = performance.now();
  await gateway.until(restarted, ({ health }) => health === 'unhealthy');
  t.diagnostic(`unhealthy by its probe after ${Math.round(performance.now() - outMs)} ms`);
  assert.equal(gateway.status(restarted).excludedBy, 'health');
  assert.equal(gateway.status(restarted).healthReason, 'connection refused');
  assert.equal(await gateway.ask(), 'steady');

  await restarted.listen(t);
  const backMs = performance.now();
  await gateway.until(restarted, ({ eligible }) => eligible);
  t.diagnostic(`eligible ${Math.round(performance.now() - backMs)} ms after it listened again`);
  // rise 2, though the ejection was for ten seconds
  assert.ok(restarted.probes - probes >= 2);
  const again = [await gateway.ask(), await gateway.ask()];
  assert.deepEqual(again.sort(), ['restarted', 'steady']);
});
