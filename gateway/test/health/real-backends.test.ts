import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HealthChecks } from '../../src/control/health/health-checks.ts';
import type { HealthVerdict } from '../../src/data/port.ts';
import { systemClock } from '../../src/time.ts';
import { servicePlan } from '../support/plans.ts';
import { RawBackend } from '../support/raw-backend.ts';
import { httpProbe } from './probing.ts';

test('backends that answer, refuse and fail have their verdicts after the first round; one that restarts recovers', async (t) => {
  const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
  const well = await RawBackend.answering(answer);
  const failing = await RawBackend.answering('HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n');
  const stopped = await RawBackend.start();
  const { port } = stopped;
  await stopped.stop();
  const told = new Map<string, HealthVerdict>();
  let heard: () => void = () => {};
  const checks = new HealthChecks({
    clock: systemClock,
    random: () => 0.5,
    log: () => {},
    setHealth: ({ backend }, verdict) => {
      told.set(backend, verdict);
      heard();
    },
    owns: () => true,
    onProbe: () => {},
  });
  t.after(() => {
    checks.close();
    return Promise.all([well.stop(), failing.stop()]);
  });
  const health = { probe: httpProbe(), intervalMs: 100, timeoutMs: 20_000, rise: 2, fall: 3 };
  checks.update([servicePlan([well.port, failing.port, port], { health })]);
  await checks.firstRound(30_000);
  assert.deepEqual(Object.fromEntries(told), {
    [`127.0.0.1:${well.port}`]: { healthy: true, reason: 'status 200' },
    [`127.0.0.1:${failing.port}`]: { healthy: false, reason: 'status 500' },
    [`127.0.0.1:${port}`]: { healthy: false, reason: 'connection refused' },
  });
  const recovered = new Promise<void>((resolve) => {
    heard = resolve;
  });
  const restarted = await RawBackend.start(({ socket }) => socket.end(answer), port);
  t.after(() => restarted.stop());
  await recovered;
  assert.equal(told.get(`127.0.0.1:${port}`)?.healthy, true);
});
