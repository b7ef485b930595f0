import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EMBEDDED_CONFIG } from '../../src/control/config/embedded.ts';
import type { Environment } from '../../src/control/config/interpolate.ts';
import { sha256 } from '../relay/pattern.ts';
import { complaints, load } from './loading.ts';
import { REST } from './problem-table.ts';

function loaded(text: string, env: Environment = {}) {
  const result = load(text, env);
  assert.ok(result.ok, complaints(result).join('\n'));
  return result;
}

const controlOf = (text: string, env?: Environment) => loaded(text, env).control;

test('an admin API on loopback, no Redis and a drain of 25 seconds are there by default', () => {
  assert.deepEqual(controlOf(REST), {
    admin: { host: '127.0.0.1', port: 9901, token: undefined },
    redis: undefined,
    drain: { delayMs: 0, timeoutMs: 25_000 },
    log: { format: 'text', level: 'info' },
    accessLog: undefined,
    tracing: undefined,
  });
});

test('everything that is written reaches the control plan', () => {
  const text = `admin: { address: "[::1]:0", token: hunter2 }
redis: { url: "rediss://u:p@h:1/2", fleet: a_b.c-D }
drain: { delay: 5s, timeout: 1m }
log: { format: json, level: warn }
accessLog: { mode: sampled, sample: 0.5%, path: log/a.log, headers: [User-Agent], redact: { headers: [X-Key], query: [Id] } }
tracing: { otlp: "https://h:4318/v1/traces", sample: 100%, headers: { Authorization: hunter2 }, serviceName: edge }
${REST}`;
  assert.deepEqual(controlOf(text), {
    admin: { host: '::1', port: 0, token: 'hunter2' },
    redis: { url: 'rediss://u:p@h:1/2', fleet: 'a_b.c-D' },
    drain: { delayMs: 5000, timeoutMs: 60_000 },
    log: { format: 'json', level: 'warn' },
    accessLog: {
      mode: 'sampled',
      sampleRatio: 0.005,
      file: '/etc/portway/log/a.log',
      headers: ['user-agent'],
      redact: { headers: ['x-key'], query: ['id'] },
    },
    tracing: {
      url: 'https://h:4318/v1/traces',
      sampleRatio: 1,
      headers: { Authorization: 'hunter2' },
      serviceName: 'edge',
      redact: { headers: ['x-key'], query: ['id'] },
    },
  });
});

test('false switches admin and Redis off, and so does an empty URL', () => {
  assert.equal(controlOf(`admin: false\n${REST}`).admin, undefined);
  assert.equal(controlOf(`redis: false\n${REST}`).redis, undefined);
  assert.equal(controlOf(`redis: { url: '', fleet: a }\n${REST}`).redis, undefined);
  assert.equal(controlOf(`redis: { url: "\${URL:-}" }\n${REST}`).redis, undefined);
  assert.deepEqual(controlOf(`redis: { url: "\${URL:-}" }\n${REST}`, { URL: 'redis://h' }).redis, {
    url: 'redis://h',
    fleet: 'default',
  });
});

test('the data plane is given a hash of the admin token, and never the token', () => {
  const { plan } = loaded(`admin: { token: hunter2 }\n${REST}`);
  assert.equal(plan.explainTokenSha256, sha256('hunter2'));
  assert.ok(!JSON.stringify(plan).includes('hunter2'));
  for (const admin of ['false', '{}', `{ token: "\${TOKEN:-}" }`]) {
    assert.equal(loaded(`admin: ${admin}\n${REST}`).plan.explainTokenSha256, undefined, admin);
  }
});

test('the demo’s admin address, token and Redis come from the environment', () => {
  assert.deepEqual(controlOf(EMBEDDED_CONFIG), controlOf(REST));
  const env = {
    PORTWAY_ADMIN_HOST: '0.0.0.0',
    PORTWAY_ADMIN_PORT: '0',
    PORTWAY_ADMIN_TOKEN: 'hunter2',
    PORTWAY_REDIS_URL: 'redis://redis:6379',
  };
  const { admin, redis } = controlOf(EMBEDDED_CONFIG, env);
  assert.deepEqual(admin, { host: '0.0.0.0', port: 0, token: 'hunter2' });
  assert.deepEqual(redis, { url: 'redis://redis:6379', fleet: 'default' });
});
