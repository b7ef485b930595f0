import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { K6_IMAGE } from '../../../load-tests/runner/k6-release.ts';
import { readDemoMap } from '../../../services/shared/src/launcher/demo-map.ts';
import { loadConfig } from '../../src/control/config/load.ts';
import {
  type ComposeService,
  compose,
  demo,
  dockerfiles,
  mounted,
  ROOT,
  read,
  service,
  services,
} from './stack.ts';

/** Names of the services that a condition does not hold for. */
const without = (holds: (service: ComposeService) => boolean): string[] =>
  services.filter(([, one]) => !holds(one)).map(([name]) => name);

test('says nothing that either docker-compose 1.29 or Compose v2 does not take', () => {
  const raw = parse(read('docker-compose.yml'), { merge: true }) as Readonly<Record<string, unknown>>;
  // v2 warns about `version`; 1.29 knows no `name` and no `include`
  assert.deepEqual(
    Object.keys(raw).filter((key) => !key.startsWith('x-')),
    ['services', 'volumes'],
  );
  assert.deepEqual(
    without(
      (one) => !('deploy' in one) && !('develop' in one) && !('start_interval' in (one.healthcheck ?? {})),
    ),
    [],
  );
});

test('pins every image to one version', () => {
  const PINNED = /^[a-z0-9]+(\/[a-z0-9]+)?:v?\d+\.\d+\.\d+(-[a-z0-9.-]+)?$/;
  assert.deepEqual(
    without(({ image, build }) => (image === undefined ? build !== undefined : PINNED.test(image))),
    [],
  );
  assert.equal(service('k6').image, K6_IMAGE);
  const bases = dockerfiles.flatMap((file) =>
    [...read(file).matchAll(/^FROM (\S+)/gm)].map(([, base]) => base),
  );
  const [, pinnedNode] = /PINNED_NODE = '([^']+)'/.exec(read('gateway/bin/bootstrap.mjs')) ?? [];
  assert.deepEqual([...new Set(bases)], [`node:${pinnedNode}-bookworm-slim`]);
});

test('asks every service that stays for its health', () => {
  const checked = ({ healthcheck, build, profiles }: ComposeService): boolean =>
    profiles !== undefined ||
    healthcheck !== undefined ||
    (build !== undefined && /^HEALTHCHECK /m.test(read(build.dockerfile)));
  assert.deepEqual(without(checked), []);
});

test('confines every service: no root, nothing writable, no capabilities, limits', () => {
  assert.deepEqual(
    without(({ user }) => user !== undefined && !/^(root|0)\b/.test(user)),
    [],
  );
  assert.deepEqual(
    without((one) => one.read_only === true && one.cap_drop?.join() === 'ALL'),
    [],
  );
  assert.deepEqual(
    without(({ security_opt }) => security_opt?.includes('no-new-privileges:true') === true),
    [],
  );
  // docker refuses more CPUs than the machine has
  const limited = ({ mem_limit, cpus = 0, pids_limit = 0 }: ComposeService): boolean =>
    /^\d+[mg]$/.test(mem_limit ?? '') && cpus > 0 && cpus <= 1 && pids_limit > 0;
  assert.deepEqual(without(limited), []);
  const RISKY = ['privileged', 'network_mode', 'networks', 'cap_add', 'pid', 'ipc', 'devices'];
  assert.deepEqual(
    without((one) => RISKY.every((key) => !(key in one))),
    [],
  );
});

test('can stop every service at any moment', () => {
  assert.deepEqual(
    without(({ init, stop_grace_period }) => init === true && stop_grace_period !== undefined),
    [],
  );
});

test('publishes gateway, admin, Prometheus and Grafana on loopback, each movable, and nothing else', () => {
  const published = services.flatMap(([name, { ports = [] }]) =>
    ports.map((port) => {
      const [, variable, outside, inside] = /^127\.0\.0\.1:\$\{(\w+):-(\d+)\}:(\d+)$/.exec(port) ?? [];
      return `${name} ${variable} ${outside} ${inside}`;
    }),
  );
  assert.deepEqual(published, [
    'gateway PORTWAY_PORT 8080 8080',
    'gateway PORTWAY_ADMIN_PORT 9901 9901',
    'prometheus PROMETHEUS_PORT 9090 9090',
    'grafana GRAFANA_PORT 3030 3000',
  ]);
});

test('gives the gateway longer to stop than it takes to drain', () => {
  const graceMs = Number(/^(\d+)s$/.exec(service('gateway').stop_grace_period ?? '')?.[1]) * 1000;
  const config = 'gateway/docker/portway.yaml';
  const loaded = loadConfig(
    { text: read(config), file: config },
    { env: {}, readFile: read, nowMs: Date.now() },
  );
  assert.ok(loaded.ok);
  const { delayMs, timeoutMs } = loaded.control.drain;
  assert.ok(graceMs >= delayMs + timeoutMs + 3000, `${graceMs} ms for a drain of ${timeoutMs} ms`);
});

test('runs every instance of the demo, on the ports that npm start uses', () => {
  const map = readDemoMap({});
  assert.ok('instances' in map);
  const running = demo.map(
    ([name, { environment }]) => `${name.replace(/-\d$/, '')}-${environment?.['PORT']}`,
  );
  assert.deepEqual(
    running,
    map.instances.map(({ label }) => label),
  );
});

test('starts the gateway after all that it asks, in good health', () => {
  const { depends_on = {} } = service('gateway');
  assert.deepEqual(Object.keys(depends_on).sort(), ['redis', ...demo.map(([name]) => name)].sort());
  const conditions = services.flatMap(([, one]) => Object.values(one.depends_on ?? {}));
  assert.deepEqual([...new Set(conditions.map(({ condition }) => condition))], ['service_healthy']);
});

test('mounts and runs nothing that is not there', () => {
  const missing: string[] = [];
  const need = (what: string, path: string | undefined): void => {
    if (path === undefined || !existsSync(join(ROOT, path))) missing.push(`${what}: ${path}`);
  };
  for (const [name, one] of services) {
    for (const [source = ''] of (one.volumes ?? []).map((volume) => volume.split(':'))) {
      if (source.startsWith('./')) need(name, source);
      else assert.ok(source in compose.volumes, `${name} names no volume with ${source}`);
    }
    for (const part of one.command ?? [])
      if (part.endsWith('.ts')) need(name, one.build === undefined ? mounted(one, part) : part);
  }
  const home = service('grafana').environment?.['GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH'];
  need('home dashboard', mounted(service('grafana'), String(home)));
  assert.deepEqual(missing, []);
});
