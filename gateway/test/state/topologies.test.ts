import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { freePort } from '../restarts/free-port.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { REF, replica } from './fleet-stage.ts';
import { RedisServer } from './redis-server.ts';

const run = promisify(execFile);

/** Two replicas at `url` hear of each other's verdicts, and of what operators do. */
async function share(t: TestContext, url: string): Promise<void> {
  const a = await replica(t, 'a', url);
  const b = await replica(t, 'b', url);
  await Promise.all([a, b].map((each) => each.until(({ fleet }) => fleet.up)));
  await b.until(({ fleet }) => fleet.replicas.length === 2);
  a.probe(REF, true);
  a.fleet.setAdmin(REF, 'draining');
  await b.until(({ health }) => health.get(REF.backend)?.healthy === true);
  await b.until(({ admin }) => admin.get(REF.backend) === 'draining');
  assert.ok(!/sesame/.test([...a.lines, ...b.lines].join('\n')));
}

/** A key and a certificate for 127.0.0.1 that vouches for itself. */
async function selfSigned(t: TestContext): Promise<{ readonly key: string; readonly cert: string }> {
  const path = temporaryFolder(t);
  const [key, cert] = [join(path, 'key.pem'), join(path, 'cert.pem')];
  const files = ['-keyout', key, '-out', cert, '-days', '2', '-subj', '/CN=redis.test'];
  await run('openssl', [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    ...files,
    '-addext',
    'subjectAltName=IP:127.0.0.1',
  ]);
  return { key, cert };
}

test('a password and a database', async (t) => {
  const redis = await RedisServer.start(t, { args: ['--requirepass', 'open sesame/@:'] });
  const url = `redis://:open%20sesame%2F%40%3A@127.0.0.1:${redis.port}/3`;
  await share(t, url);
  const looker = new Redis({ port: redis.port, password: 'open sesame/@:', db: 3 });
  t.after(() => looker.disconnect());
  const keys = (await looker.keys('*')).sort();
  assert.deepEqual(keys, [
    'portway:{default}:admin:web',
    'portway:{default}:health:web',
    'portway:{default}:replicas',
  ]);
  assert.equal(await looker.ttl('portway:{default}:admin:web'), -1);
  assert.ok((await looker.ttl('portway:{default}:health:web')) > 50);
});

test('a user that may use only these keys, this channel and these commands', async (t) => {
  const commands =
    '+ping +client +hello +select +publish +subscribe +hset +hget +hmget +hlen +hkeys +hstrlen +hdel +pexpire';
  const redis = await RedisServer.start(t, {
    args: ['--user', 'portway', 'on', '>sesame', '~portway:*', '&portway:*', ...commands.split(' ')],
  });
  await share(t, `redis://portway:sesame@127.0.0.1:${redis.port}`);
});

test('TLS, with a certificate that is trusted and not otherwise', async (t) => {
  const { key, cert } = await selfSigned(t);
  const tlsPort = await freePort();
  const files = ['--tls-cert-file', cert, '--tls-key-file', key, '--tls-ca-cert-file', cert];
  await RedisServer.start(t, { args: ['--tls-port', String(tlsPort), '--tls-auth-clients', 'no', ...files] });
  const url = `rediss://127.0.0.1:${tlsPort}`;
  const distrusting = await replica(t, 'c', url);
  await distrusting.until(({ lines }) => lines.length > 0);
  assert.match(distrusting.lines.join('\n'), /^warn .* is away: DEPTH_ZERO_SELF_SIGNED_CERT;.*$/);
  await distrusting.fleet.stop();
  const trusted = getCACertificates('default');
  t.after(() => setDefaultCACertificates(trusted));
  // as NODE_EXTRA_CA_CERTS does it
  setDefaultCACertificates([...trusted, await readFile(cert, 'utf8')]);
  await share(t, url);
});

test('sentinels, and the failover to another master', async (t) => {
  const auth = ['--requirepass', 'sesame', '--masterauth', 'sesame'];
  const master = await RedisServer.start(t, { args: auth });
  const second = await RedisServer.start(t, {
    args: [...auth, '--replicaof', '127.0.0.1', String(master.port)],
  });
  const file = join(temporaryFolder(t), 'sentinel.conf');
  const about = [
    'down-after-milliseconds shared 300',
    'failover-timeout shared 1000',
    'auth-pass shared sesame',
  ];
  await writeFile(
    file,
    [
      `sentinel monitor shared 127.0.0.1 ${master.port} 1`,
      ...about.map((line) => `sentinel ${line}`),
      '',
    ].join('\n'),
  );
  const sentinel = await RedisServer.start(t, { config: file, args: ['--sentinel'] });
  const url = `redis+sentinel://:sesame@127.0.0.1:${sentinel.port}/shared`;
  await share(t, url);
  const a = await replica(t, 'd', url);
  await a.until(({ fleet }) => fleet.up);
  const looker = new Redis({ port: second.port, password: 'sesame' });
  t.after(() => looker.disconnect());
  while (!(await looker.info('replication')).includes('master_link_status:up'))
    await new Promise((r) => setTimeout(r, 50));
  const sentinelClient = new Redis({ port: sentinel.port });
  t.after(() => sentinelClient.disconnect());
  while (JSON.stringify(await sentinelClient.call('SENTINEL', 'replicas', 'shared')) === '[]') {
    await new Promise((r) => setTimeout(r, 100));
  }
  await master.kill();
  await a.until(({ fleet }) => !fleet.up, 5_000);
  const tookMs = await a.until(({ fleet }) => fleet.up, 30_000);
  assert.equal(a.admin.get(REF.backend), 'draining');
  t.diagnostic(`up again ${Math.round(tookMs)} ms after the master was killed`);
});

test('sentinels that want a password too', async (t) => {
  const master = await RedisServer.start(t, { args: ['--requirepass', 'sesame'] });
  const file = join(temporaryFolder(t), 'sentinel.conf');
  await writeFile(
    file,
    `sentinel monitor shared 127.0.0.1 ${master.port} 1\nsentinel auth-pass shared sesame\nrequirepass sesame\n`,
  );
  const sentinel = await RedisServer.start(t, { config: file, args: ['--sentinel'] });
  await share(t, `redis+sentinel://:sesame@127.0.0.1:${sentinel.port}/shared`);
});

test('a cluster of three', async (t) => {
  const args = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000', '--requirepass', 'sesame'];
  // the bus listens 10 000 above the port
  const nodes = await Promise.all(
    [0, 1, 2].map(async () => RedisServer.start(t, { args, port: await freePort(22_000) })),
  );
  const clients = nodes.map(({ port }) => new Redis({ port, password: 'sesame' }));
  t.after(() => {
    for (const client of clients) client.disconnect();
  });
  const [first] = nodes;
  for (const [index, client] of clients.entries()) {
    const last = index === 2 ? 16_383 : 5_461 * (index + 1) - 1;
    await client.call('CLUSTER', 'ADDSLOTSRANGE', String(5_461 * index), String(last));
    await client.call('CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1));
    if (index > 0) await client.call('CLUSTER', 'MEET', '127.0.0.1', String(first?.port));
  }
  for (const client of clients) {
    while (!String(await client.call('CLUSTER', 'INFO')).includes('cluster_state:ok')) {
      await new Promise((r) => setTimeout(r, 50));
    }
  }
  await share(t, `redis+cluster://:sesame@127.0.0.1:${first?.port}`);
});
