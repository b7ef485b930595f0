import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isRequestId, isTraceparent, RequestIds } from '../../src/data/request-id.ts';
import { answer, stage } from '../support/stage.ts';
import { through, valuesOf } from './through.ts';

const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

test('a request id is made where there is none, 32 hex digits, another one for each request', async (t) => {
  const { client, backend } = await stage(t, answer());
  const browser = await client();
  for (let turn = 0; turn < 3; turn++) {
    browser.received = '';
    await browser.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n').contains('ok');
  }
  const ids = [...backend.received.matchAll(/\r\nX-Request-Id: ([0-9a-f]{32})\r\n/g)].map(([, id]) => id);
  assert.equal(new Set(ids).size, 3);
});

test('a request id is kept when it is one, and replaced when it could trick a log', async (t) => {
  for (const [sent, kept] of [
    ['abc-123', true],
    ['A.b~c:d/e+f=g@h_i', true],
    ['a'.repeat(128), true],
    ['a'.repeat(129), false],
    ['a b', false],
    ['a"b', false],
    ['a<b>', false],
    ['caf\xe9', false],
    ['a\tb', false],
    ['', false],
  ] as const) {
    await t.test(JSON.stringify(sent.slice(0, 20)), async (row) => {
      const { request } = await through(row, { request: [`X-Request-Id: ${sent}`] });
      const [id = '', ...more] = valuesOf(request, 'x-request-id');
      assert.deepEqual(more, []);
      if (kept) assert.equal(id, sent);
      else assert.match(id, /^[0-9a-f]{32}$/);
    });
  }
});

test('of two request ids the first stands, as one field', async (t) => {
  const { request } = await through(t, { request: ['X-Request-Id: one', 'X-Request-Id: two'] });
  assert.deepEqual(valuesOf(request, 'x-request-id'), ['one']);
});

test('a trace is begun where there is none, kept where there is, and replaced where it is malformed', async (t) => {
  for (const [name, sent, kept] of [
    ['none', [], false],
    ['one', [`traceparent: ${TRACE}`], true],
    ['in another case', [`Traceparent: ${TRACE}`], true],
    ['two', [`traceparent: ${TRACE}`, `traceparent: ${TRACE}`], false],
    ['capitals', [`traceparent: ${TRACE.toUpperCase()}`], false],
    ['a zero trace', [`traceparent: 00-${'0'.repeat(32)}-b7ad6b7169203331-01`], false],
    ['a zero span', [`traceparent: 00-0af7651916cd43dd8448eb211c80319c-${'0'.repeat(16)}-01`], false],
    ['version ff', [`traceparent: ff${TRACE.slice(2)}`], false],
    ['something after it', [`traceparent: ${TRACE}-x`], false],
    ['empty', ['traceparent: '], false],
  ] as const) {
    await t.test(name, async (row) => {
      const { request } = await through(row, { request: sent });
      const [trace = '', ...more] = valuesOf(request, 'traceparent');
      assert.deepEqual(more, []);
      if (kept) assert.equal(trace, TRACE);
      else {
        assert.ok(isTraceparent(trace), trace);
        assert.notEqual(trace, TRACE);
        assert.equal(trace.slice(3, 35), valuesOf(request, 'x-request-id')[0], 'one id for logs and traces');
        assert.ok(trace.endsWith('-00'), 'whether to sample is not ours to say');
      }
    });
  }
});

test('ids are hex, of full length and not zero, whatever the generator draws', () => {
  const draw = fc.oneof(
    fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    fc.constantFrom(0, 2 ** -53, 0.5, 1 - 2 ** -53),
  );
  fc.assert(
    fc.property(fc.array(draw, { minLength: 1, maxLength: 8 }), (draws) => {
      let turn = 0;
      const ids = new RequestIds(() => draws[turn++ % draws.length] ?? 0);
      const half = ids.next();
      assert.match(half, /^(?!0{16})[0-9a-f]{16}$/);
      assert.match(ids.traceId(half), /^(?!0{32})[0-9a-f]{32}$/);
      assert.ok(isRequestId(ids.traceId(half)));
    }),
  );
});

test('each bit of an id is drawn about as often as not', () => {
  const ids = new RequestIds(Math.random);
  const set = new Array<number>(64).fill(0);
  const drawn = 4_000;
  for (let turn = 0; turn < drawn; turn++) {
    const id = BigInt(`0x${ids.next()}`);
    for (let bit = 0; bit < 64; bit++) set[bit] = (set[bit] ?? 0) + Number((id >> BigInt(bit)) & 1n);
  }
  // eight standard deviations
  for (const count of set) assert.ok(Math.abs(count - drawn / 2) < 8 * Math.sqrt(drawn / 4), String(set));
});
