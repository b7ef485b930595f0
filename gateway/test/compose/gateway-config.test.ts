import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import { checkCommand } from '../../src/control/config/check-command.ts';
import { EMBEDDED_CONFIG } from '../../src/control/config/embedded.ts';
import { loadConfig } from '../../src/control/config/load.ts';
import { demo, read } from './stack.ts';

// The config of the gateway in the stack.

const CONFIG = 'gateway/docker/portway.yaml';

interface Stated {
  readonly defaults: unknown;
  readonly services: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly routes: unknown;
}

/** http://db-1:3001 of each backend, and what else is said of the services, from a config as it is written. */
function stated(text: string): { readonly backends: readonly string[]; readonly rest: unknown } {
  const config = parse(text) as Stated;
  const backends = Object.values(config.services).flatMap((one) => one['backends'] as string[]);
  const policies = Object.entries(config.services).map(([name, { backends: _, ...rest }]) => [name, rest]);
  return { backends, rest: { policies, defaults: config.defaults, routes: config.routes } };
}

function gatewayPlan(env: Readonly<Record<string, string>> = {}) {
  const loaded = loadConfig({ text: read(CONFIG), file: CONFIG }, { env, readFile: read, nowMs: Date.now() });
  assert.ok(loaded.ok);
  return loaded;
}

test('has a config that portway check finds good, with a token and without', () => {
  for (const env of [{}, { PORTWAY_ADMIN_TOKEN: 'secret' }]) {
    const said: string[] = [];
    const write = (text: string): void => void said.push(text);
    assert.equal(checkCommand(CONFIG, { readFile: read, env, nowMs: Date.now(), write }), 0, said.join(''));
  }
  assert.equal(gatewayPlan({ PORTWAY_ADMIN_TOKEN: 'secret' }).control.admin?.token, 'secret');
  // without a token writes are refused on an address that is not loopback
  assert.deepEqual(gatewayPlan().control.admin, { host: '0.0.0.0', port: 9901, token: undefined });
});

test('knows every instance by its name in the stack', () => {
  const running = demo.map(([name, { environment }]) => `http://${name}:${environment?.['PORT']}`);
  assert.deepEqual(stated(read(CONFIG)).backends, running);
});

test('routes and balances as the embedded demo does', () => {
  assert.deepEqual(stated(read(CONFIG)).rest, stated(EMBEDDED_CONFIG).rest);
});
