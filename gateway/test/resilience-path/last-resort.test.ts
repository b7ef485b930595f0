import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EJECTION, TCP_HEALTH } from '../support/plans.ts';
import { backendAt, refTo, startPath } from './path-stage.ts';
import { failing, ok } from './scripted-backend.ts';

// An ejection says "rather the others". Where there are no others left it says nothing.

test('an ejected backend comes back when probes take out the last one that was eligible', async (t) => {
  const path = await startPath(t, [failing(500), ok], {
    service: { balance: { kind: 'round-robin' }, ejection: EJECTION, health: TCP_HEALTH },
  });
  for (const index of [0, 1]) path.data.setHealth(refTo(path, index), { healthy: true, reason: 'connected' });
  for (let i = 0; i < 10; i++) await path.ask();
  assert.equal(backendAt(path, 0).excludedBy, 'ejection');
  path.data.setHealth(refTo(path, 1), { healthy: false, reason: 'connection refused' });
  assert.equal(backendAt(path, 0).eligible, true);
  assert.equal((await path.ask()).status, 500);
  assert.deepEqual(
    path.events.filter(({ kind }) => kind === 'none-eligible'),
    [],
  );
});

test('but not one that probes call unhealthy, nor one that an operator has taken out', async (t) => {
  const path = await startPath(t, [failing(500), failing(500), ok], {
    service: {
      balance: { kind: 'round-robin' },
      ejection: { ...EJECTION, maxPercent: 100 },
      health: TCP_HEALTH,
    },
  });
  for (const index of [0, 1, 2])
    path.data.setHealth(refTo(path, index), { healthy: true, reason: 'connected' });
  for (let i = 0; i < 15; i++) await path.ask();
  path.data.setHealth(refTo(path, 0), { healthy: false, reason: 'connection refused' });
  path.data.setAdmin(refTo(path, 1), 'draining');
  path.data.setHealth(refTo(path, 2), { healthy: false, reason: 'connection refused' });
  assert.deepEqual(
    [0, 1, 2].map((index) => backendAt(path, index).excludedBy),
    ['health', 'admin', 'health'],
  );
  assert.equal((await path.ask()).status, 503);
});
