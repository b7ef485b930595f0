import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { WebSocketFrames } from '../../src/data/tunnel/websocket-frames.ts';
import { BINARY, CLOSE, closePayload, type FrameOptions, frame, PING, PONG, TEXT } from './frames.ts';

const LENGTHS = fc.oneof(fc.integer({ min: 0, max: 200 }), fc.constantFrom(125, 126, 127, 65_535, 65_536));

const DATA = fc.record({
  opcode: fc.constantFrom(0, TEXT, BINARY),
  final: fc.boolean(),
  reserved: fc.constantFrom(0, 0x40, 0x70),
  length: LENGTHS,
});
const CONTROL = fc.record({
  opcode: fc.constantFrom(PING, PONG),
  final: fc.constant(true),
  reserved: fc.constant(0),
  length: fc.integer({ min: 0, max: 125 }),
});

const FRAMES = fc.array(fc.oneof(DATA, CONTROL), { maxLength: 8 });
const CUTS = fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 40 });

/** Reads `text` in pieces of the lengths given, the rest at once; returns what may be passed on after each. */
function* passedOn(frames: WebSocketFrames, text: string, cuts: readonly number[]): Generator<string> {
  let passed = '';
  let at = 0;
  for (const length of [...cuts, text.length]) {
    const piece = Buffer.from(text.slice(at, at + length), 'latin1');
    at += length;
    const bytes = frames.holds ? frames.joined(piece, 0, piece.length) : piece;
    passed += bytes.toString('latin1', 0, frames.read(bytes, 0, bytes.length));
    yield passed;
  }
}

test('however it is cut, all of a WebSocket is passed on, and never the half of a header', () => {
  fc.assert(
    fc.property(FRAMES, CUTS, fc.boolean(), (plans, cuts, masked) => {
      const texts = plans.map(({ length, ...options }) => frame('x'.repeat(length), { ...options, masked }));
      const all = texts.join('');
      // where frames end, and where payloads lie
      const ends = new Set<number>([0]);
      const inHeader = new Set<number>();
      let end = 0;
      for (const [index, text] of texts.entries()) {
        const headBytes = text.length - (plans[index]?.length ?? 0);
        for (let i = 1; i < headBytes; i++) inHeader.add(end + i);
        end += text.length;
        ends.add(end);
      }
      const frames = new WebSocketFrames(masked ? 'client' : 'server');
      let last = '';
      for (const passed of passedOn(frames, all, cuts)) {
        assert.ok(all.startsWith(passed));
        assert.equal(inHeader.has(passed.length), false);
        assert.equal(frames.atBoundary, ends.has(passed.length));
        last = passed;
      }
      assert.equal(last, all);
      assert.equal(frames.state, 'open');
    }),
    { numRuns: 300 },
  );
});

test('nothing after a Close frame is passed on, wherever the reads end', () => {
  fc.assert(
    fc.property(FRAMES, CUTS, fc.boolean(), fc.string(), (plans, cuts, masked, rest) => {
      const texts = plans.map(({ length, ...options }) => frame('x'.repeat(length), { ...options, masked }));
      const wanted = texts.join('') + frame(closePayload(1000), { opcode: CLOSE, masked });
      const frames = new WebSocketFrames(masked ? 'client' : 'server');
      let last = '';
      for (const passed of passedOn(frames, `${wanted}${rest}`, cuts)) last = passed;
      assert.equal(last, wanted);
      assert.equal(frames.state, 'closed');
      assert.equal(frames.atBoundary, true);
    }),
    { numRuns: 200 },
  );
});

const masked = { masked: true };
const BROKEN: readonly { readonly name: string; readonly text: string }[] = [
  ...[3, 4, 5, 6, 7, 0xb, 0xc, 0xd, 0xe, 0xf].map((opcode) => ({
    name: `opcode ${opcode}`,
    text: frame('', { opcode, ...masked }),
  })),
  ...[CLOSE, PING, PONG].map((opcode) => ({
    name: `a fragmented control frame (${opcode})`,
    text: frame('', { opcode, final: false, ...masked }),
  })),
  { name: 'a control frame of 126 bytes', text: frame('x'.repeat(126), { opcode: PING, ...masked }) },
  { name: 'a control frame of 64 KiB', text: frame('x'.repeat(65_536), { opcode: PONG, ...masked }) },
  { name: 'a frame that is not masked', text: frame('x', { masked: false }) },
  { name: 'a 64-bit length with its top bit', text: `\x82\xff\x80${'\0'.repeat(7)}\x01\x02\x03\x04` },
];

test('what RFC 6455 calls broken is found where it begins, and nothing from there on is passed on', () => {
  fc.assert(
    fc.property(FRAMES, fc.constantFrom(...BROKEN), CUTS, (plans, { name, text }, cuts) => {
      const texts = plans.map(({ length, ...options }) =>
        frame('x'.repeat(length), { ...options, ...masked } satisfies FrameOptions),
      );
      const frames = new WebSocketFrames('client');
      let last = '';
      for (const passed of passedOn(frames, texts.join('') + text, cuts)) last = passed;
      assert.equal(last, texts.join(''), name);
      assert.equal(frames.state, 'broken', name);
      assert.equal(frames.atBoundary, true);
    }),
    { numRuns: 300 },
  );
});

test('a masked frame from a server is broken', () => {
  const frames = new WebSocketFrames('server');
  const bytes = Buffer.from(frame('x', masked), 'latin1');
  assert.equal(frames.read(bytes, 0, bytes.length), 0);
  assert.equal(frames.state, 'broken');
});

test('a frame as long as there can be is counted and not kept', () => {
  const frames = new WebSocketFrames('server');
  const header = Buffer.from('\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff', 'latin1');
  assert.equal(frames.read(header, 0, header.length), header.length);
  const bytes = Buffer.alloc(64 * 1024);
  assert.equal(frames.read(bytes, 0, bytes.length), bytes.length);
  assert.equal(frames.atBoundary, false);
});
