import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readDemoMap } from '../src/launcher/demo-map.ts';
import { describeDemo } from '../src/launcher/describe-demo.ts';

function mapOf(env: Record<string, string>) {
  const map = readDemoMap(env);
  if ('problems' in map) return assert.fail(map.problems.join('\n'));
  return map;
}

function problemsOf(env: Record<string, string>): readonly string[] {
  const map = readDemoMap(env);
  return 'problems' in map ? map.problems : [];
}

test('the ports are those of the whiteboard unless the environment moves them', () => {
  const ports = (env: Record<string, string>) => mapOf(env).needs.map(({ port }) => port);
  assert.deepEqual(ports({}), [8080, 9901, 3000, 3001, 3011, 3021, 3002, 3012, 3003, 3013]);
  assert.deepEqual(
    ports({ DB_PORT_2: '4011', PORTWAY_PORT: '9080', PORTWAY_ADMIN_PORT: '9902' }),
    [9080, 9902, 3000, 3001, 4011, 3021, 3002, 3012, 3003, 3013],
  );
});

test('the gateway is sent to where the services are, whatever else the environment says', () => {
  const { gatewayEnv } = mapOf({ DB_PORT_2: '4011', DB_HOST_2: 'db.example.com' });
  assert.equal(gatewayEnv['DB_PORT_2'], '4011');
  assert.equal(gatewayEnv['DB_HOST_2'], '127.0.0.1');
});

test('the admin API is on loopback and 9901 unless the environment moves it', () => {
  const { adminUrl, gatewayEnv } = mapOf({});
  assert.equal(adminUrl, 'http://127.0.0.1:9901');
  assert.equal(gatewayEnv['PORTWAY_ADMIN_PORT'], '9901');
  const moved = mapOf({ PORTWAY_ADMIN_HOST: '0.0.0.0', PORTWAY_ADMIN_PORT: '9902' });
  assert.deepEqual(moved.needs[1], {
    host: '0.0.0.0',
    port: 9902,
    who: 'the admin API',
    variable: 'PORTWAY_ADMIN_PORT',
  });
  assert.match(describeDemo('http://127.0.0.1:8080', moved), /http:\/\/127\.0\.0\.1:9902\/api\/v1\/status/);
});

test('ports that are none, and one port for two, are named with their variables', () => {
  assert.deepEqual(problemsOf({ WEB_PORT: 'http', CHAT_PORT_1: '0' }), [
    "WEB_PORT (for the web service) must be a port from 1 to 65535, not 'http'",
    "CHAT_PORT_1 (for the chat service 1) must be a port from 1 to 65535, not '0'",
  ]);
  assert.deepEqual(problemsOf({ WEB_PORT: '8080' }), [
    'port 8080 is wanted twice, for the gateway (PORTWAY_PORT) and for the web service (WEB_PORT)',
  ]);
});

test('the user is told URLs that can be opened', () => {
  const text = describeDemo('http://0.0.0.0:9080', mapOf({ DB_PORT_2: '4011' }));
  assert.match(text, /http:\/\/127\.0\.0\.1:9080\/db +-> db +3001, 4011, 3021/);
  assert.match(text, /curl -i http:\/\/127\.0\.0\.1:9080\/db\/items/);
  assert.match(text, /http:\/\/127\.0\.0\.1:9080\/chat-page/);
});
