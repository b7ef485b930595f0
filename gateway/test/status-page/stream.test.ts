import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { MAX_WATCHERS } from '../../src/control/status-page/live-feed.ts';
import { backendStatus } from '../admin/admin-stage.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { exchangeRaw, RawClient } from '../support/raw-client.ts';
import { EventStream } from './event-stream.ts';
import { openAdmin, Scene, serviceStatus } from './page-stage.ts';

const GET = (headers = ''): string => `GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`;

/** Waits until what the server does on its own has come about. */
async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setImmediate(resolve));
}

test('a snapshot comes at once, and one each second', async (t) => {
  const clock = new ManualClock();
  const scene = new Scene(clock);
  const { port } = await openAdmin(t, scene);
  const stream = await EventStream.open(port);
  assert.match(stream.head, /^HTTP\/1\.1 200 OK\r\n/);
  assert.match(stream.head, /content-type: text\/event-stream(\r|$)/i);
  assert.match(stream.head, /cache-control: no-store/i);
  const first = await stream.next('snapshot');
  assert.equal(first.data.nowMs, clock.wallNow());
  assert.deepEqual(first.data.gateway, scene.about);
  assert.deepEqual(
    first.data.services.map(({ name }: { name: string }) => name),
    ['web', 'db'],
  );
  assert.deepEqual(first.data.problems, []);
  assert.deepEqual(first.data.events, []);
  clock.advance(1_000);
  const second = await stream.next('snapshot');
  assert.equal(second.data.nowMs, first.data.nowMs + 1_000);
  assert.equal(second.data.events, undefined);
  stream.client.socket.destroy();
});

test('rates, errors and percentiles are those of the last ten seconds', async (t) => {
  const clock = new ManualClock();
  const scene = new Scene(clock);
  scene.count('/db', 5_000, 4_000);
  const { port } = await openAdmin(t, scene);
  const stream = await EventStream.open(port);
  const before = await stream.next('snapshot');
  assert.equal(before.data.traffic, undefined);
  for (let second = 0; second < 12; second += 1) {
    scene.count('/db', 90, 0, 2);
    scene.count('/db', 10, 10, 8);
    scene.count('db 127.0.0.1:3001', 50);
    clock.advance(1_000);
    await stream.next('snapshot');
  }
  clock.advance(1_000);
  const { data } = await stream.next('snapshot');
  const { rate, errorShare, errors, p50Ms, p99Ms, point } = data.routes[1].traffic;
  // nine of the ten seconds had requests
  assert.deepEqual([rate, errorShare, errors], [90, 0.1, 90]);
  assert.ok(p50Ms > 2.5 && p50Ms <= 5 && p99Ms > 250 && p99Ms <= 500, `${p50Ms} ${p99Ms}`);
  assert.deepEqual(point, [0, 0, null]);
  assert.equal(data.services[1].traffic.rate, 90);
  assert.equal(data.traffic.rate, 90);
  assert.equal(data.services[1].backends[0].traffic.rate, 45);
  assert.equal(data.services[1].backends[1].traffic.errorShare, null);
  stream.client.socket.destroy();
});

test('counters that began anew give no negative rates', async (t) => {
  const clock = new ManualClock();
  const scene = new Scene(clock);
  scene.count('/db', 5_000);
  const { port } = await openAdmin(t, scene);
  const stream = await EventStream.open(port);
  await stream.next('snapshot');
  scene.counts.clear();
  scene.count('/db', 7);
  clock.advance(1_000);
  await stream.next('snapshot').then(({ data }) => assert.equal(data.routes[1].traffic.rate, 7));
  stream.client.socket.destroy();
});

test('whoever comes later gets the history of the last two minutes and the last events', async (t) => {
  const clock = new ManualClock();
  const scene = new Scene(clock);
  const { port } = await openAdmin(t, scene);
  for (let port = 0; port < 205; port += 1)
    scene.tell({ kind: 'eligible', service: 'db', backend: `b:${port}` });
  const early = await EventStream.open(port);
  for (let second = 1; second <= 130; second += 1) {
    scene.count('/', second);
    clock.advance(1_000);
    await early.next('snapshot');
  }
  early.client.socket.destroy();
  await until(() => scene.feed.watchers === 0);
  clock.advance(60_000);
  const late = await EventStream.open(port);
  const { data } = await late.next('snapshot');
  const { history } = data.routes[0].traffic;
  assert.equal(history.length, 120);
  assert.deepEqual(history[0], [71, 0, 9.95]);
  assert.deepEqual(history.at(-1), [0, 0, null]);
  assert.equal(data.events.length, 200);
  assert.equal(data.events.at(-1).text, 'is in again');
  assert.equal(data.events.at(-1).backend, 'b:204');
  late.client.socket.destroy();
});

test('nothing is looked at while nobody watches, but for two minutes after the last has gone', async (t) => {
  const clock = new ManualClock();
  const scene = new Scene(clock);
  const { port } = await openAdmin(t, scene);
  scene.tell({ kind: 'eligible', service: 'db', backend: '127.0.0.1:3001' });
  clock.advance(10_000);
  assert.deepEqual([scene.trafficTaken, scene.statusTaken, scene.feed.sampling], [0, 0, false]);
  const stream = await EventStream.open(port);
  await stream.next('snapshot');
  stream.client.socket.destroy();
  await until(() => scene.feed.watchers === 0);
  const taken = scene.statusTaken;
  clock.advance(60_000);
  assert.equal(scene.statusTaken, taken);
  assert.ok(scene.trafficTaken > 50);
  clock.advance(61_000);
  assert.equal(scene.feed.sampling, false);
  const counted = scene.trafficTaken;
  clock.advance(60_000);
  assert.equal(scene.trafficTaken, counted);
});

test('events come at once, those of one moment together', async (t) => {
  const clock = new ManualClock();
  const scene = new Scene(clock);
  const { port } = await openAdmin(t, scene);
  const stream = await EventStream.open(port);
  await stream.next('snapshot');
  scene.eject('db', '127.0.0.1:3001');
  scene.tell({ kind: 'none-eligible', service: 'db', active: true, failOpen: false });
  const [out, none] = [await stream.next('event'), await stream.next('event')];
  assert.deepEqual(out.data, {
    seq: 1,
    atMs: clock.wallNow(),
    service: 'db',
    backend: '127.0.0.1:3001',
    severity: 'warn',
    text: 'is out: ejected until 12:00:41 UTC: 5 failures in a row (connect_refused)',
  });
  assert.deepEqual([out.id, none.id], ['1', '2']);
  assert.deepEqual([none.data.severity, none.data.backend], ['error', undefined]);
  stream.client.socket.destroy();
});

test('names and reasons cannot end a message or begin another', async (t) => {
  const clock = new ManualClock();
  const scene = new Scene(clock);
  const evil = 'x\n\nevent: snapshot\ndata: {"nowMs":0}\r\r\u2028';
  scene.services = [
    serviceStatus(evil, [backendStatus(evil, { reason: evil, eligible: false, excludedBy: 'health' })]),
  ];
  const { port } = await openAdmin(t, scene);
  const stream = await EventStream.open(port);
  const { data } = await stream.next('snapshot');
  assert.equal(data.services[0].backends[0].reason, evil);
  scene.tell({ kind: 'ineligible', by: 'health', reason: evil, service: evil, backend: evil });
  assert.equal((await stream.next('event')).data.service, evil);
  clock.advance(1_000);
  assert.equal((await stream.next('snapshot')).data.nowMs, clock.wallNow());
  stream.client.socket.destroy();
});

test(`of more than ${MAX_WATCHERS} watchers, the ones too many are told so`, async (t) => {
  const scene = new Scene(new ManualClock());
  const { port } = await openAdmin(t, scene);
  const streams = await Promise.all(Array.from({ length: MAX_WATCHERS }, () => EventStream.open(port)));
  const refused = await exchangeRaw(port, GET('Connection: close\r\n'));
  assert.match(
    refused,
    /^HTTP\/1\.1 503 [^]*retry-after: 10[^]*application\/problem\+json|^HTTP\/1\.1 503 /i,
  );
  assert.match(refused, /"detail": "as many watch already as may/);
  streams[0]?.client.socket.destroy();
  await until(() => scene.feed.watchers < MAX_WATCHERS);
  const next = await EventStream.open(port);
  assert.match(next.head, /^HTTP\/1\.1 200 /);
  for (const { client } of [...streams, next]) client.socket.destroy();
});

test('a reader that takes nothing in is left behind, then dropped, and the others are not', async (t) => {
  const clock = new ManualClock();
  const scene = new Scene(clock);
  const big = 'x'.repeat(8 * 1024 ** 2);
  scene.about = { big };
  const { port } = await openAdmin(t, scene);
  const slow = await RawClient.open(port);
  await slow.send(GET()).contains('200 OK');
  slow.socket.pause();
  scene.about = {};
  const quick = await EventStream.open(port);
  await quick.next('snapshot');
  for (let second = 0; second < 9; second += 1) {
    clock.advance(1_000);
    await quick.next('snapshot');
  }
  assert.equal(scene.feed.watchers, 2);
  clock.advance(1_000);
  await quick.next('snapshot');
  assert.equal(scene.feed.watchers, 1);
  slow.socket.destroy();
  quick.client.socket.destroy();
});

test('a reader that was behind gets the events it missed', async (t) => {
  const clock = new ManualClock();
  const scene = new Scene(clock);
  scene.about = { big: 'x'.repeat(8 * 1024 ** 2) };
  const { port } = await openAdmin(t, scene);
  const client = await RawClient.open(port);
  client.socket.setMaxListeners(0);
  await client.send(GET()).contains('200 OK');
  client.socket.pause();
  scene.tell({ kind: 'eligible', service: 'db', backend: '127.0.0.1:3001' });
  await new Promise((resolve) => setImmediate(resolve));
  client.socket.resume();
  await client.until((received) => received.includes('event: event'));
  client.socket.destroy();
});

test('closing the server ends streams at once, also of readers that take nothing in', async (t) => {
  const scene = new Scene(new ManualClock());
  const { admin, port } = await openAdmin(t, scene);
  const stream = await EventStream.open(port);
  scene.about = { big: 'x'.repeat(8 * 1024 ** 2) };
  const slow = await RawClient.open(port);
  await slow.send(GET()).contains('200 OK');
  slow.socket.pause();
  const began = performance.now();
  const [received] = await Promise.all([stream.client.end(), admin.close()]);
  // less than the five seconds after which connections are cut
  assert.ok(performance.now() - began < 4_000);
  assert.ok(received.endsWith('0\r\n\r\n'));
  slow.socket.destroy();
  assert.equal(scene.feed.sampling, false);
});

test('a gateway that cannot give an account of itself goes on, and says so once', async (t) => {
  const clock = new ManualClock();
  const scene = new Scene(clock);
  const { port } = await openAdmin(t, scene);
  const stream = await EventStream.open(port);
  await stream.next('snapshot');
  scene.failure = new Error('no account');
  clock.advance(3_000);
  await stream.client.contains(': no snapshot');
  assert.deepEqual(scene.said, ['error status page: no account']);
  assert.match(await exchangeRaw(port, GET('Connection: close\r\n')), /^HTTP\/1\.1 500 /);
  scene.failure = undefined;
  clock.advance(1_000);
  await stream.next('snapshot');
  stream.client.socket.destroy();
});

test('HEAD tells what it is and takes no place', async (t) => {
  const scene = new Scene(new ManualClock());
  const { port } = await openAdmin(t, scene);
  const received = await exchangeRaw(port, GET('Connection: close\r\n').replace('GET', 'HEAD'));
  assert.match(received, /^HTTP\/1\.1 200 [^]*content-type: text\/event-stream/i);
  assert.deepEqual([scene.feed.watchers, scene.feed.sampling], [0, false]);
});

test('a page of another origin cannot take the places of watchers', async (t) => {
  const scene = new Scene(new ManualClock());
  const { port } = await openAdmin(t, scene);
  for (const site of ['cross-site', 'same-site'])
    assert.match(
      await exchangeRaw(port, GET(`Sec-Fetch-Site: ${site}\r\nConnection: close\r\n`)),
      /^HTTP\/1\.1 403 /,
    );
  const own = await RawClient.open(port);
  await own.send(GET('Sec-Fetch-Site: same-origin\r\n')).contains('200 OK');
  own.socket.destroy();
  await once(own.socket, 'close');
});
