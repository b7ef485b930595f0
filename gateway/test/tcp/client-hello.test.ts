import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import fc from 'fast-check';
import { parseClientHello } from '../../src/data/layer4/client-hello.ts';
import { helloOf, inRecords } from './hello-of.ts';

let hello: Buffer = Buffer.alloc(0);
let nameless: Buffer = Buffer.alloc(0);

before(async () => {
  hello = await helloOf({ servername: 'Db.Example.COM' });
  nameless = await helloOf({});
});

test('the name is found, in lower case', () => {
  assert.deepEqual(parseClientHello(hello), { kind: 'hello', name: 'db.example.com' });
});

test('a hello without a name is one', () => {
  assert.deepEqual(parseClientHello(nameless), { kind: 'hello', name: undefined });
});

test('TLS 1.2 hellos are read as well', async () => {
  const old = await helloOf({ servername: 'old.example.com', maxVersion: 'TLSv1.2' });
  assert.deepEqual(parseClientHello(old), { kind: 'hello', name: 'old.example.com' });
});

test('what follows the hello is not looked at', () => {
  const more = Buffer.concat([hello, Buffer.from('anything')]);
  assert.deepEqual(parseClientHello(more), { kind: 'hello', name: 'db.example.com' });
});

test('every beginning of a hello is incomplete, however many records it comes in', () => {
  for (const bytes of [hello, inRecords(hello, 100), inRecords(hello, 3), inRecords(hello, 1)]) {
    for (let length = 0; length < bytes.length; length++)
      assert.equal(parseClientHello(bytes.subarray(0, length)).kind, 'incomplete', `${length}`);
    assert.deepEqual(parseClientHello(bytes), { kind: 'hello', name: 'db.example.com' });
  }
});

test('what does not begin as TLS does is something else', () => {
  for (const text of ['GET / HTTP/1.1\r\n', '\x80\x2e\x01\x03\x01', '\x17\x03\x03\x00\x02hi', '\0'])
    assert.equal(parseClientHello(Buffer.from(text, 'latin1')).kind, 'other');
});

/** The hello with `bytes` in place of those at `at`. */
function patched(at: number, ...bytes: readonly number[]): Buffer {
  const copy = Buffer.from(hello);
  for (const [i, byte] of bytes.entries()) copy[at + i] = byte;
  return copy;
}

/** Where the list of the server name extension begins. */
const nameAt = (): number => hello.indexOf('Db.Example.COM') - 5;

const MALFORMED: Readonly<Record<string, () => Buffer>> = {
  'of another version': () => patched(1, 2),
  'in an empty record': () => patched(3, 0, 0),
  'in a record longer than records may be': () => patched(3, 0x40, 0x01),
  'that is no ClientHello': () => patched(5, 2),
  'longer than 16 KiB': () => patched(6, 0, 0x40, 0),
  'of several MiB': () => patched(6, 0x40, 0, 0),
  'followed by a record of another type': () => {
    const pieces = inRecords(hello, 100);
    pieces[105] = 23;
    return pieces;
  },
  'whose session id goes beyond its end': () => patched(5 + 4 + 34, 255, ...Buffer.alloc(255, 255)),
  'whose extensions end too early': () => {
    const copy = Buffer.concat([hello, Buffer.alloc(1)]);
    copy.writeUInt16BE(hello.length - 4, 3);
    copy.writeUIntBE(hello.length - 8, 6, 3);
    return copy;
  },
  'whose name list is longer than its extension': () => patched(nameAt(), 0, 0x12),
  'with a name of another type': () => patched(nameAt() + 2, 1),
  'with an empty name': () => patched(nameAt() + 3, 0, 0),
  'with a space in its name': () => patched(nameAt() + 5, 0x20),
  'with a NUL in its name': () => patched(nameAt() + 7, 0),
  'with an empty label in its name': () => patched(nameAt() + 5, 0x2e),
  'with a final dot in its name': () => patched(nameAt() + 18, 0x2e),
  'with an address for a name': () => patched(nameAt() + 5, ...Buffer.from('127.000.000.01')),
};

for (const [what, make] of Object.entries(MALFORMED)) {
  test(`a hello ${what} is malformed`, () => assert.equal(parseClientHello(make()).kind, 'malformed'));
}

test('a hello that says its name twice is malformed', () => {
  const at = nameAt() - 4;
  const extension = hello.subarray(at, at + 4 + hello.readUInt16BE(at + 2));
  const twice = Buffer.concat([hello.subarray(0, at), extension, hello.subarray(at)]);
  const add = (where: number, by: number): void =>
    void twice.writeUIntBE(twice.readUIntBE(where, by) + extension.length, where, by);
  add(3, 2);
  add(6, 3);
  const sessionId = 5 + 4 + 34;
  const ciphers = sessionId + 1 + (twice[sessionId] ?? 0);
  const compressions = ciphers + 2 + twice.readUInt16BE(ciphers);
  add(compressions + 1 + (twice[compressions] ?? 0), 2);
  assert.equal(parseClientHello(twice).kind, 'malformed');
});

test('records without end are malformed once they are longer than a hello may be', () => {
  const endless = inRecords(
    Buffer.concat([hello.subarray(0, 5), Buffer.from([1, 0, 0x3f, 0xf0]), Buffer.alloc(20_000)]),
    1,
  );
  assert.equal(parseClientHello(endless.subarray(0, 16 * 1024 - 1)).kind, 'incomplete');
  assert.equal(parseClientHello(endless.subarray(0, 16 * 1024)).kind, 'malformed');
});

test('whatever bytes come, an answer once given stands, and none is thrown', () => {
  const edit = fc.record({ at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }) });
  fc.assert(
    fc.property(fc.array(edit, { maxLength: 6 }), fc.nat({ max: 40 }), (edits, step) => {
      const bytes = step === 0 ? Buffer.from(hello) : inRecords(hello, 10 * step);
      for (const { at, byte } of edits) bytes[at % bytes.length] = byte;
      let before = parseClientHello(bytes.subarray(0, 0));
      for (let length = 0; length <= bytes.length; length += 7) {
        const now = parseClientHello(bytes.subarray(0, length));
        if (before.kind !== 'incomplete') assert.deepEqual(now, before);
        before = now;
      }
    }),
    { numRuns: 200 },
  );
});
