import assert from 'node:assert/strict';
import { test } from 'node:test';
import { thresholdsOf } from '../thresholds.ts';
import { Calls, createdId, deletion, fileText } from '../traffic/calls.ts';
import { readTarget } from '../traffic/environment.ts';
import { drawRoute, ROUTE_NAMES, ROUTES } from '../traffic/routes.ts';
import { shapeOf } from '../traffic/shapes.ts';

test('routes are drawn by their share', () => {
  const counts = new Map<string, number>();
  for (let at = 0; at < 1; at += 0.0001) {
    const name = drawRoute(ROUTE_NAMES, at);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  for (const name of ROUTE_NAMES)
    assert.ok(Math.abs((counts.get(name) ?? 0) / 100 - ROUTES[name].share) < 0.1);
});

test('an answer of another request is not taken for the right one', () => {
  const calls = new Calls({ itemIds: [7] }, () => 0);
  const read = calls.of('db.read');
  assert.equal(read.path, '/db/items/7');
  assert.ok(read.holds('{"id":7,"name":"load"}'));
  assert.ok(!read.holds('{"id":77,"name":"load"}'));
  const update = calls.of('db.update');
  assert.ok(update.holds('{"id":7,"name":"load"}'));
  assert.ok(!update.holds('{"id":70,"name":"load"}'));
  assert.ok(!calls.of('db.create').holds('{"error":"x"}'));
  const range = calls.of('files.range');
  assert.equal(range.headers['range'], 'bytes=0-4095');
  assert.ok(range.holds(fileText().slice(0, 4096)));
  assert.ok(!range.holds(fileText().slice(16, 4112)));
  assert.ok(!range.holds(fileText().slice(0, 4095)));
  assert.equal(fileText(100, 5000), fileText().slice(100, 5000));
});

test('a deletion that was done twice counts as done', () => {
  assert.deepEqual(deletion(3).statuses, [204, 404]);
  assert.equal(createdId('{"id":3,"name":"load"}'), 3);
  assert.equal(createdId('{"error":"x"}'), undefined);
});

test('the gateway is where BASE_URL says, or where the demo was moved to', () => {
  assert.deepEqual(readTarget({}), { baseUrl: 'http://127.0.0.1:8080', adminUrl: 'http://127.0.0.1:9901' });
  assert.equal(readTarget({ PORTWAY_PORT: '1' }).baseUrl, 'http://127.0.0.1:1');
  assert.equal(readTarget({ PORTWAY_PORT: '1', BASE_URL: 'https://x/' }).baseUrl, 'https://x');
  assert.equal(readTarget({ DEMO_HOST: 'host' }).adminUrl, 'http://host:9901');
});

test('RATE and DURATION_SECONDS scale a shape', () => {
  const shape = shapeOf('load', { RATE: '50', DURATION_SECONDS: '10' });
  assert.equal(shape.startRate, 5);
  assert.deepEqual(
    shape.stages.map(({ rate }) => rate),
    [50, 50, 5],
  );
  assert.equal(
    shape.stages.reduce((sum, { seconds }) => sum + seconds, 0),
    10,
  );
  assert.throws(() => shapeOf('load', { RATE: 'many' }), /RATE must be a number above 0, not 'many'/);
});

test('every route has thresholds of its own in the scenarios that must hold them', () => {
  for (const scenario of ['smoke', 'load', 'soak'] as const) {
    const thresholds = thresholdsOf(scenario);
    for (const name of ROUTE_NAMES)
      assert.match(String(thresholds[`http_req_duration{route:${name}}`]), /^p\(95\)<\d+,p\(99\)<\d+$/);
  }
});
