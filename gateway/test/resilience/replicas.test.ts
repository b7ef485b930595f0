import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { RedisServer } from '../state/redis-server.ts';
import type { ChildBackend } from './child-backend.ts';
import { ChildGateway } from './child-gateway.ts';
import { Ledger } from './ledger.ts';
import { configOf, finish, healthOf, ROUNDS, SOME, startBackends, startLoad } from './scene.ts';

const TAKEOVER_MS = 2_000;

const untilReplicas = (gateway: ChildGateway, count: number): Promise<unknown> =>
  gateway.until(
    `it knows of ${count} replicas`,
    ({ gateway: { redis } }) => redis?.replicas.length === count,
  );

/** The backends that a replica has probed last, and goes on probing. */
const probedBy = (backends: readonly ChildBackend[], prober: string): ChildBackend[] =>
  backends.filter(({ probes }) => probes.at(-1)?.by === prober);

async function untilProbedBy(backend: ChildBackend, prober: string, sinceMs: number): Promise<number> {
  for (;;) {
    const first = backend.probes.find(({ by, atMs }) => by === prober && atMs >= sinceMs);
    if (first !== undefined) return first.atMs;
    await delay(10);
  }
}

test('a replica that is killed is missed by no client of the other, which probes its backends within 2 s', async (t) => {
  const ledger = new Ledger(t);
  const redis = await RedisServer.start(t);
  const backends = await startBackends(t, ledger, 8);
  const start = (prober: string): Promise<ChildGateway> =>
    ChildGateway.start(t, configOf({ backends, redisUrl: redis.url, prober }));
  const steady = await start('steady');
  const load = startLoad(t, steady);
  const tookOver: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const prober = `doomed-${round}`;
    const doomed = await start(prober);
    await Promise.all([steady, doomed].map((gateway) => untilReplicas(gateway, 2)));
    await load.more(4 * SOME);
    const orphans = probedBy(backends, prober);
    const killedMs = performance.now();
    await doomed.kill();
    const firstMs = await Promise.all(orphans.map((backend) => untilProbedBy(backend, 'steady', killedMs)));
    tookOver.push(...firstMs.map((atMs) => atMs - killedMs));
    await untilReplicas(steady, 1);
  }
  await finish(t, { gateway: steady, load, ledger });
  const slowestMs = Math.round(Math.max(...tookOver));
  t.diagnostic(`${tookOver.length} backends taken over, the last after ${slowestMs} ms`);
  assert.ok(tookOver.length > 0, 'the replicas that died had nothing to probe');
  assert.ok(slowestMs <= TAKEOVER_MS, `a backend was taken over only after ${slowestMs} ms`);
});

const WATCHED_MS = 8_000;

test('two replicas send together no more than 1.2 times the probes of one', async (t) => {
  const backends = await startBackends(t, new Ledger(t), 6);
  const redis = await RedisServer.start(t);
  const start = (prober: string, fleet: string): Promise<ChildGateway> =>
    startIn(t, backends, redis.url, prober, fleet);
  const [, ...pair] = await Promise.all([start('alone', 'one'), start('pair', 'two'), start('pair', 'two')]);
  await Promise.all(pair.map((gateway) => untilReplicas(gateway, 2)));
  const fromMs = performance.now();
  await delay(WATCHED_MS);
  const probes = backends.flatMap((backend) => backend.probes).filter(({ atMs }) => atMs >= fromMs);
  const [alone, together] = ['alone', 'pair'].map(
    (prober) => probes.filter(({ by }) => by === prober).length,
  );
  assert.ok(alone !== undefined && together !== undefined);
  t.diagnostic(`${alone} probes of one replica, ${together} of two`);
  assert.ok(alone > 60 && together > 60, 'hardly anything was probed');
  assert.ok(together <= 1.2 * alone, `${together} probes of two replicas, ${alone} of one`);
});

function startIn(
  t: TestContext,
  backends: readonly ChildBackend[],
  redisUrl: string,
  prober: string,
  fleet: string,
): Promise<ChildGateway> {
  const health = { ...healthOf(prober), interval: '500ms' };
  const config = configOf({ backends, redisUrl, service: { health } });
  return ChildGateway.start(t, { ...config, redis: { url: redisUrl, fleet } });
}
