import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EMBEDDED_CONFIG } from '../../src/control/config/embedded.ts';
import { complaints, load, planOf } from './loading.ts';
import { REST, withRoutes, withService } from './problem-table.ts';
import { TEST_CA } from './test-ca.ts';

/** The example of DESIGN §5, with the service `web` that it leaves to the reader. */
const DESIGN_EXAMPLE = `listeners:
  - address: 0.0.0.0:8080
admin:
  address: 127.0.0.1:9901
  token: \${PORTWAY_ADMIN_TOKEN:-}       # writes need it when the address is not loopback
redis:                                   # left out: health is kept in memory
  url: redis://127.0.0.1:6379
services:
  db:
    backends:
      - http://127.0.0.1:3001
      - url: http://127.0.0.1:3011
        weight: 2
    balance: p2c
    health: { path: /health, interval: 5s }
  web:
    backends: [http://127.0.0.1:3000]
routes:
  - path: /db                            # longest prefix wins, on a segment boundary: /db and /db/1, not /dbx
    service: db
    stripPrefix: true
  - path: /
    host: www.example.com                # optional, as are methods and headers
    service: web
`;

test('the example of the design loads without a warning', () => {
  const loaded = load(DESIGN_EXAMPLE);
  assert.ok(loaded.ok);
  assert.deepEqual(complaints(loaded), []);
  assert.equal(loaded.config.admin !== false && loaded.config.admin?.token, undefined);
  assert.deepEqual(loaded.plan.services[0]?.backends, [
    { name: '127.0.0.1:3001', protocol: 'http', host: '127.0.0.1', port: 3001, weight: 1 },
    { name: '127.0.0.1:3011', protocol: 'http', host: '127.0.0.1', port: 3011, weight: 2 },
  ]);
  assert.deepEqual(
    loaded.plan.routes.map(({ name, rewrite, host }) => ({ name, rewrite, host })),
    [
      { name: '/db', rewrite: '/', host: undefined },
      { name: 'www.example.com/', rewrite: undefined, host: 'www.example.com' },
    ],
  );
});

test('defaults hold for every service, block by block and field by field, and false switches off', () => {
  const { services, routes } = planOf(`defaults:
  balance: hash
  hash: { cookie: c }
  pool: { maxConnections: 5, queue: 6 }
  timeouts: { total: 30s }
  retry: false
  maxBodySize: 1KiB
services:
  a: { backends: [http://h:1] }
  b: { backends: [http://h:2], pool: { queue: 7 }, hash: { clientIp: true }, retry: {}, timeouts: { total: 0 } }
  c: { backends: [http://h:3], balance: random }
routes:
  - { path: /, service: a }
  - { path: /b, service: b, maxBodySize: 2KiB }
  - { path: /c, service: c }
`);
  const [a, b, c] = services;
  assert.deepEqual(a?.balance, { kind: 'hash', key: { from: 'cookie', name: 'c' }, balanceFactor: 1.25 });
  assert.deepEqual(b?.balance, { kind: 'hash', key: { from: 'clientIp' }, balanceFactor: 1.25 });
  assert.deepEqual(c?.balance, { kind: 'random' });
  assert.deepEqual([a?.pool.maxConnections, a?.pool.maxQueue], [5, 6]);
  assert.deepEqual([b?.pool.maxConnections, b?.pool.maxQueue], [5, 7]);
  assert.deepEqual([a?.timeouts.totalMs, b?.timeouts.totalMs], [30_000, 0]);
  assert.equal(a?.retry, undefined);
  assert.equal(b?.retry?.attempts, 1);
  assert.deepEqual(
    routes.map((route) => route.maxBodyBytes),
    [1024, 2048, 1024],
  );
});

test('routes that share host and path are told apart by their methods, then by number', () => {
  const { routes } = planOf(
    withRoutes(
      'path: /, methods: [GET, PUT]',
      'path: /',
      'path: /, headers: { x-a: b }',
      'path: /a, methods: [GET]',
    ),
  );
  assert.deepEqual(
    routes.map((route) => route.name),
    ['/ GET,PUT', '/', '/ #2', '/a'],
  );
});

test('an empty host in a listener is every address', () => {
  const [listener] = planOf(`listeners: [{ address: ":80" }]\n${REST}`).listeners;
  assert.equal(listener?.host, '::');
});

test('plans and config are frozen all the way down', () => {
  const loaded = load(DESIGN_EXAMPLE);
  assert.ok(loaded.ok);
  const check = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    assert.ok(Object.isFrozen(value));
    Object.values(value).forEach(check);
  };
  check(loaded.plan);
  check(loaded.control);
  check(loaded.config);
});

const BAD_PEM = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';

test('an authority is read from beside the config file', () => {
  const files = {
    '/etc/portway/certs/ca.pem': TEST_CA,
    '/etc/portway/empty.pem': '',
    '/etc/portway/bad.pem': BAD_PEM,
  };
  const text = (ca: string) => withService(`tls: { ca: ${ca} }`).replace('http:', 'https:');
  assert.equal(planOf(text('certs/ca.pem'), {}, files).services[0]?.tls.ca, TEST_CA);
  assert.deepEqual(complaints(load(text('empty.pem'), {}, files)), [
    '4:16: ca: /etc/portway/empty.pem holds no certificate in PEM form',
  ]);
  assert.deepEqual(complaints(load(text('bad.pem'), {}, files)), [
    '4:16: ca: certificate 1 in /etc/portway/bad.pem cannot be read',
  ]);
});

test('the embedded config has no problem and no warning, and every address can be moved', () => {
  const loaded = load(EMBEDDED_CONFIG);
  assert.deepEqual(complaints(loaded), []);
  const backends = planOf(EMBEDDED_CONFIG).services.map(({ backends }) => backends.map(({ name }) => name));
  assert.deepEqual(backends, [
    ['127.0.0.1:3000'],
    ['127.0.0.1:3001', '127.0.0.1:3011', '127.0.0.1:3021'],
    ['127.0.0.1:3002', '127.0.0.1:3012'],
    ['127.0.0.1:3003', '127.0.0.1:3013'],
  ]);
  const moved = planOf(EMBEDDED_CONFIG, { PORTWAY_PORT: '0', DB_HOST_2: 'db2', DB_PORT_2: '99' });
  assert.equal(moved.listeners[0]?.port, 0);
  assert.equal(moved.services[1]?.backends[1]?.name, 'db2:99');
});
