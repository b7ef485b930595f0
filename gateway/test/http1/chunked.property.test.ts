import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ChunkedDecoder, type ChunkedOutput } from '../../src/data/http1/chunked.ts';

/** What decoding `wire`, cut at `cuts`, did. */
interface Decoded {
  /** All that was passed on. */
  readonly output: string;
  /** How far into `wire` the body went, where it has an end. */
  readonly end: number | 'broken' | 'incomplete';
  readonly payloadBytes: number;
}

function decode(wire: string, cuts: readonly number[], mode: ChunkedOutput): Decoded {
  const decoder = new ChunkedDecoder(mode);
  let output = '';
  const sink = {
    bodyText: (text: string) => {
      output += text;
    },
    bodyBytes: (bytes: Buffer, start: number, end: number) => {
      assert.ok(start < end, 'nothing is passed on as nothing');
      output += bytes.toString('latin1', start, end);
    },
  };
  const stops = [...new Set([...cuts, wire.length])].sort((a, b) => a - b);
  let at = 0;
  for (const stop of stops) {
    // as in a shared read buffer: other bytes stand before and after
    const piece = Buffer.from(`\xff${wire.slice(at, stop)}\0ffff\r\n`, 'latin1');
    const next = decoder.decode(piece, 1, 1 + stop - at, sink);
    if (next < 0) return { output, end: 'broken', payloadBytes: decoder.payloadBytes };
    if (decoder.done) return { output, end: at + next - 1, payloadBytes: decoder.payloadBytes };
    assert.equal(next, 1 + stop - at, 'all of an unfinished body is taken');
    at = stop;
  }
  return { output, end: 'incomplete', payloadBytes: decoder.payloadBytes };
}

/** A decoder as plain as the grammar, for well-formed bodies without extensions. */
function reference(wire: string): {
  readonly chunks: readonly string[];
  readonly trailers: string;
  readonly end: number;
} {
  const chunks: string[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = wire.indexOf('\r\n', at);
    const line = wire.slice(at, lineEnd);
    assert.match(line, /^[0-9A-Fa-f]+$/);
    const size = Number.parseInt(line, 16);
    at = lineEnd + 2;
    if (size === 0) break;
    chunks.push(wire.slice(at, at + size));
    assert.equal(wire.slice(at + size, at + size + 2), '\r\n');
    at += size + 2;
  }
  const trailersEnd = wire.startsWith('\r\n', at) ? at : wire.indexOf('\r\n\r\n', at) + 2;
  return { chunks, trailers: wire.slice(at, trailersEnd), end: trailersEnd + 2 };
}

const data = fc.string({
  unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
  minLength: 1,
  maxLength: 40,
});
const chunkLike = fc.oneof(data, fc.constantFrom('0\r\n\r\n', '\r\n', '5\r\nhello\r\n', '\0'));
const extension = fc.constantFrom('', '', '', ';a', ';a=b', ';a="b;\\"c"', ';a;b=c');
const zeros = fc.constantFrom('', '', '', '0', '0000');
const upper = fc.boolean();
const chunk = fc.record({ payload: chunkLike, extension, zeros, upper });
const trailer = fc.constantFrom('X-Sum: 1\r\n', 'Y:2\r\n', 'Z: \r\n');
const body = fc.record({
  chunks: fc.array(chunk, { maxLength: 5 }),
  last: fc.tuple(zeros, extension),
  trailers: fc.array(trailer, { maxLength: 2 }),
});
const mode = fc.constantFrom<ChunkedOutput[]>('framed', 'payload');

type Body = typeof body extends fc.Arbitrary<infer T> ? T : never;

function encode({ chunks, last, trailers }: Body): string {
  let wire = '';
  for (const { payload, extension: ext, zeros: pad, upper: capital } of chunks) {
    const size = payload.length.toString(16);
    wire += `${pad}${capital ? size.toUpperCase() : size}${ext}\r\n${payload}\r\n`;
  }
  return `${wire}${last[0]}0${last[1]}\r\n${trailers.join('')}\r\n`;
}

const canonicalTrailers = (trailers: readonly string[]): string =>
  trailers.join('').replace('Y:2', 'Y: 2').replaceAll('Y:2', 'Y: 2');

test('a body is the same however it is cut: its data, its chunks, its trailers and its end', () => {
  fc.assert(
    fc.property(
      body,
      fc.array(fc.nat(400), { maxLength: 6 }),
      fc.string({ maxLength: 5 }),
      (given, cuts, behind) => {
        const wire = encode(given);
        const all = given.chunks.map(({ payload }) => payload);
        const inside = cuts.map((cut) => cut % (wire.length + 1));
        const framed = decode(wire + behind, inside, 'framed');
        assert.equal(framed.end, wire.length);
        assert.equal(framed.payloadBytes, all.join('').length);
        const read = reference(framed.output);
        assert.deepEqual(read, {
          chunks: all,
          trailers: canonicalTrailers(given.trailers),
          end: framed.output.length,
        });
        const plain = decode(wire + behind, inside, 'payload');
        assert.deepEqual(plain, {
          output: all.join(''),
          end: wire.length,
          payloadBytes: all.join('').length,
        });
      },
    ),
    { numRuns: 2_000 },
  );
});

test('a body cut at every byte is the same as whole', () => {
  fc.assert(
    fc.property(body, mode, (given, output) => {
      const wire = encode(given);
      const whole = decode(wire, [], output);
      const everywhere = decode(
        wire,
        [...wire].map((_, at) => at),
        output,
      );
      assert.equal(everywhere.end, whole.end);
      if (output === 'payload') assert.equal(everywhere.output, whole.output);
      else assert.deepEqual(reference(everywhere.output), reference(whole.output));
    }),
    { numRuns: 500 },
  );
});

test('a body with one byte changed, added or lost is judged the same however it is cut', () => {
  const change = fc.record({
    at: fc.nat(),
    kind: fc.constantFrom('change', 'add', 'lose'),
    byte: fc.oneof(
      fc.constantFrom('\r', '\n', '0', 'f', ';', ' ', '\0', '-', 'x', ':'),
      fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
    ),
  });
  fc.assert(
    fc.property(body, change, fc.array(fc.nat(400), { maxLength: 6 }), (given, { at, kind, byte }, cuts) => {
      const good = encode(given);
      const where = at % good.length;
      const wire =
        good.slice(0, where) + (kind === 'lose' ? '' : byte) + good.slice(where + (kind === 'add' ? 0 : 1));
      const whole = decode(wire, [], 'payload');
      const pieces = decode(
        wire,
        cuts.map((cut) => cut % (wire.length + 1)),
        'payload',
      );
      const bytes = decode(
        wire,
        [...wire].map((_, index) => index),
        'payload',
      );
      assert.equal(pieces.end, whole.end);
      assert.equal(bytes.end, whole.end);
      if (whole.end !== 'broken') assert.equal(bytes.output, whole.output);
      const framed = decode(wire, [], 'framed');
      if (framed.end === 'broken')
        assert.doesNotMatch(framed.output.slice(-5), /^0\r\n\r\n$/, 'a broken body never ends');
    }),
    { numRuns: 2_000 },
  );
});

test('what reads as we would write it leaves in one piece with what is around it', () => {
  const pieces: string[] = [];
  const decoder = new ChunkedDecoder('framed');
  const wire = Buffer.from('5\r\nhello\r\n6\r\n world\r\n003\r\nabc\r\n2\r\nde\r\n0\r\n\r\n');
  decoder.decode(wire, 0, wire.length, {
    bodyText: (text) => pieces.push(`text ${text}`),
    bodyBytes: (bytes, start, end) => pieces.push(`bytes ${bytes.toString('latin1', start, end)}`),
  });
  assert.deepEqual(pieces, [
    'bytes 5\r\nhello\r\n6\r\n world\r\n',
    'text 3\r\n',
    'bytes abc\r\n2\r\nde\r\n',
    'text 0\r\n\r\n',
  ]);
});
