import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ELIGIBLE_STATES } from '../../../grafana/src/colours.ts';
import {
  annotationQueries,
  type Choices,
  drawingProblem,
  filledIn,
  type PlacedQuery,
  panelQueries,
  variableQueries,
} from '../../../grafana/test/support/panel-queries.ts';
import { type Prometheus, type Range, startPrometheus } from '../../../grafana/test/support/prometheus.ts';
import { makeCertificate } from '../agents/certificates.ts';
import { ChildGateway } from '../resilience/child-gateway.ts';
import { ScriptedBackend } from '../resilience-path/scripted-backend.ts';
import { freePort } from '../restarts/free-port.ts';
import { RedisServer } from '../state/redis-server.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { type DemoServices, startDemoServices } from './demo-services.ts';
import { crowd, drain, eject, endTunnel, fail, holdTunnel, kill, ok, reload, type Scene } from './faults.ts';
import { configOf } from './gateway-config.ts';
import { needK6, startChaos } from './k6-chaos.ts';
import { loadShop } from './shop-load.ts';
import { nowSeconds, untilSeen } from './watcher.ts';

/** From the first request of the load on, every panel must have something to show within this time. */
const WITHIN_SECONDS = 60;
/** Four scrapes, as Grafana makes `$__rate_interval`. */
const RATE_INTERVAL = '4s';

test('every panel shows data after a load run with faults, asked of a real Prometheus', {
  timeout: 90_000,
}, async (t) => {
  needK6();
  const { scene, demo, adminPort } = await setScene(t);
  const { gateway, prometheus } = scene;
  const from = nowSeconds();
  loadShop(t, gateway.port);
  const chaos = startChaos(t, {
    gatewayUrl: `http://127.0.0.1:${gateway.port}`,
    adminUrl: `http://127.0.0.1:${adminPort}`,
    demoEnv: demo.env,
    prometheusUrl: prometheus.url,
  });
  await endTunnel(scene);
  const tunnel = await holdTunnel(scene);
  t.after(() => tunnel.socket.destroy());
  // before, it waits for every backend to be in
  await untilSeen(prometheus, 'k6_http_reqs_total{fault="none"} > 0');
  await crowd(scene);
  await eject(scene);
  await fail(scene);
  await kill(scene);
  await drain(scene);
  await reload(scene);
  await chaos;
  const range = { from, to: nowSeconds(), stepSeconds: 1 };
  assert.ok(range.to - from < WITHIN_SECONDS, `it took ${range.to - from} s`);
  assert.deepEqual(await problemsOf(prometheus, range), []);
  await assertEveryStateShown(prometheus, range);
  assert.deepEqual(
    (await prometheus.ruleHealth()).filter((rule) => !rule.endsWith(': ok')),
    [],
  );
});

async function setScene(t: TestContext): Promise<{ scene: Scene; demo: DemoServices; adminPort: number }> {
  const adminPort = await freePort();
  // first: it takes five seconds until it scrapes
  const prometheus = await startPrometheus({
    rules: ['recording', 'alerts'].map(rulesOf),
    scrapes: [`127.0.0.1:${adminPort}`],
    takesRemoteWrites: true,
  });
  t.after(() => prometheus.stop());
  const [redis, demo, first, second] = await Promise.all([
    RedisServer.start(t),
    startDemoServices(t),
    shopBackend(t),
    shopBackend(t),
  ]);
  const shop = [first, second] as const;
  const certificate = certificateFiles(t);
  const config = configOf({ demo, shop, redisUrl: redis.url, adminPort, certificate });
  const gateway = await ChildGateway.start(t, config);
  return { scene: { gateway, prometheus, shop, config }, demo, adminPort };
}

function certificateFiles(t: TestContext): { readonly cert: string; readonly key: string } {
  const folder = temporaryFolder(t);
  const { cert, key } = makeCertificate({ names: ['DNS:shop.test'] });
  const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  writeFileSync(files.cert, cert);
  writeFileSync(files.key, key);
  return files;
}

async function shopBackend(t: TestContext): Promise<ScriptedBackend> {
  const backend = await ScriptedBackend.start(ok);
  t.after(() => backend.stop());
  return backend;
}

/** The committed rules, evaluated as often as the gateway is scraped here; alerts fire after a second, for the test is short. */
function rulesOf(name: string): string {
  const file = new URL(`../../../grafana/prometheus/rules/${name}.yml`, import.meta.url);
  return readFileSync(fileURLToPath(file), 'utf8')
    .replaceAll(/^( +)interval: .*$/gm, '$1interval: 1s')
    .replaceAll(/^( +)for: .*$/gm, '$1for: 1s');
}

/** Every query of every dashboard that has no answer, or not a good one. */
async function problemsOf(prometheus: Prometheus, range: Range): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const { where, selected, label } of variableQueries()) {
    const lines = await prometheus.queryRange(filledIn(selected, choicesOf(where)), range);
    if (!lines.some(({ labels }) => labels[label])) problems.push(`${where}: nothing to choose`);
  }
  for (const query of [...panelQueries(), ...annotationQueries()]) {
    const problem = await problemOf(prometheus, query, range);
    if (problem !== undefined) problems.push(`${query.where} (${query.legend}): ${problem}`);
  }
  return problems;
}

/** What kept a backend of the shop out is told apart. Twice as often as it is scraped, so that no sample falls between. */
async function assertEveryStateShown(prometheus: Prometheus, range: Range): Promise<void> {
  const eligible = panelQueries().find(({ where }) => where === 'service: Eligible');
  assert.ok(eligible !== undefined);
  const expr = filledIn(eligible.expr, choicesOf(eligible.where));
  const lines = await prometheus.queryRange(expr, { ...range, stepSeconds: 0.5 });
  const shown = new Set(lines.flatMap(({ values }) => values));
  assert.deepEqual(
    ELIGIBLE_STATES.filter(({ value }) => !shown.has(value)),
    [],
  );
}

/**
 * Over the whole run, as somebody who watches it has seen it, or would see it afterwards. What says of itself that it may be
 * empty is no exception: here everything happens.
 */
async function problemOf(
  prometheus: Prometheus,
  query: PlacedQuery,
  range: Range,
): Promise<string | undefined> {
  try {
    const lines = await prometheus.queryRange(filledIn(query.expr, choicesOf(query.where)), range);
    return drawingProblem(query, lines);
  } catch (error) {
    return String(error);
  }
}

/** The service dashboard is of one service, the one that everything happens to. */
function choicesOf(where: string): Choices {
  const service = where.startsWith('service:') ? 'shop' : '.*';
  return { service, route: '.*', backend: '.*', rateInterval: RATE_INTERVAL, range: '30s' };
}
