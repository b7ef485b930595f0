import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WriteRequest } from '../../src/data/direct-write.ts';
import { ReadBuffers } from '../../src/data/read-buffers.ts';
import type { SecureHandle } from '../../src/data/tls/secure-handle.ts';
import { SecureWrites } from '../../src/data/tls/secure-writes.ts';

const ENCRYPTED = 0;
const EPIPE = -32;

/** A handle that completes each write when it is told to, and dies of a second one before that, as Node's does. */
class FakeHandle {
  readonly written: string[] = [];
  readonly _parent = { writeQueueSize: 0 };
  #request: WriteRequest | undefined;
  /** What the next write returns instead of a request. */
  result: number | undefined;
  isSynchronous = false;

  writeLatin1String(_request: null, text: string): number | WriteRequest {
    return this.#write(text);
  }

  writeBuffer(_request: null, bytes: Buffer): number | WriteRequest {
    return this.#write(bytes.toString('latin1'));
  }

  writev(_request: null, chunks: readonly (string | Buffer)[], allBuffers: boolean): number | WriteRequest {
    assert.equal(allBuffers, false);
    let text = '';
    for (let at = 0; at < chunks.length; at += 2) {
      const chunk = chunks[at];
      assert.equal(chunks[at + 1], typeof chunk === 'string' ? 'latin1' : 'buffer');
      text += chunk?.toString('latin1') ?? '';
    }
    return this.#write(text);
  }

  #write(text: string): number | WriteRequest {
    assert.equal(this.#request, undefined, 'a second write at once ends the process');
    if (this.result !== undefined) return this.result;
    this.written.push(text);
    const request = { buffer: undefined, writeStatus: null } as unknown as WriteRequest;
    this.#request = request;
    if (this.isSynchronous) this.complete();
    return request;
  }

  /** Tells who waits for it; to be looked at where nobody does. */
  complete(status = ENCRYPTED): boolean {
    const request = this.#request;
    this.#request = undefined;
    if (request === undefined) return false;
    const { oncomplete } = request as Partial<WriteRequest>;
    if (oncomplete === undefined) request.writeStatus = status;
    else oncomplete(status);
    return oncomplete !== undefined;
  }
}

function setUp() {
  const handle = new FakeHandle();
  const told: string[] = [];
  const buffers = new ReadBuffers();
  const writes = new SecureWrites(handle as unknown as SecureHandle, buffers, {
    wrote: () => told.push('wrote'),
    writeFailed: () => told.push('failed'),
  });
  return { handle, told, buffers, writes };
}

test('a write that nobody waits for is not told of', () => {
  const { handle, told, writes } = setUp();
  writes.text('a');
  assert.equal(writes.pendingBytes, 0);
  assert.equal(handle.complete(), false);
  assert.equal(writes.idle, true);
  writes.text('b');
  handle._parent.writeQueueSize = 5;
  assert.equal(writes.pendingBytes, 5);
  assert.equal(handle.complete(), true);
  assert.deepEqual([handle.written, told], [['a', 'b'], ['wrote']]);
});

test('writes that are complete at once are taken as such', () => {
  const { handle, told, writes } = setUp();
  writes.text('a');
  writes.text('b');
  handle.isSynchronous = true;
  handle.complete();
  assert.deepEqual([handle.written, told], [['a', 'b'], ['wrote']]);
  writes.text('c');
  writes.textAndBytes('d', Buffer.from('e'), undefined);
  assert.deepEqual([handle.written, writes.idle], [['a', 'b', 'c', 'de'], true]);
});

test('what comes while a write is under way leaves in its order, as one', () => {
  const { handle, told, writes } = setUp();
  writes.text('a');
  assert.deepEqual([handle.written, writes.idle, writes.pendingBytes], [['a'], false, 0]);
  writes.text('b');
  writes.textAndBytes('c', Buffer.from('dd'), undefined);
  writes.textAndBytes('', Buffer.from('e'), undefined);
  writes.text('f');
  assert.equal(writes.pendingBytes, 6);
  handle.complete();
  assert.deepEqual([handle.written, told, writes.pendingBytes], [['a', 'bcddef'], [], 0]);
  handle._parent.writeQueueSize = 3;
  assert.equal(writes.pendingBytes, 3);
  handle.complete();
  assert.deepEqual([told, writes.idle, writes.pendingBytes], [['wrote'], true, 0]);
  writes.textAndBytes('', Buffer.from('g'), undefined);
  writes.text('h');
  handle.complete();
  assert.deepEqual(handle.written, ['a', 'bcddef', 'g', 'h']);
});

test('buffers are given back as soon as what they hold is encrypted, or the socket is gone', () => {
  const { handle, buffers, writes } = setUp();
  const lent = buffers.borrow();
  assert.ok(lent !== undefined);
  const copy = buffers.takeCopy();
  writes.textAndBytes('a', lent.subarray(0, 2), undefined);
  writes.textAndBytes('', lent.subarray(2, 4), undefined);
  writes.textAndBytes('', copy.subarray(0, 1), copy);
  buffers.release(lent);
  assert.equal(buffers.lent, 1);
  handle.complete();
  assert.equal(buffers.lent, 0);
  assert.equal(buffers.takeCopy(), copy);

  const again = buffers.borrow();
  assert.ok(again !== undefined);
  writes.textAndBytes('', again, undefined);
  buffers.release(again);
  assert.equal(buffers.lent, 1);
  writes.close();
  assert.equal(buffers.lent, 0);
});

test('the end waits for all that was given', () => {
  const { handle, told, writes } = setUp();
  writes.text('a');
  writes.text('b');
  writes.finish(() => told.push('finished'));
  handle.complete();
  assert.deepEqual(told, []);
  handle.complete();
  assert.deepEqual([told, handle.written], [['finished'], ['a', 'b']]);
  let isAtOnce = false;
  writes.finish(() => {
    isAtOnce = true;
  });
  assert.equal(isAtOnce, true);
});

test('a write that fails, at once or later, is told, and nothing more is written', () => {
  const later = setUp();
  later.writes.text('a');
  later.writes.text('b');
  later.handle.complete(EPIPE);
  assert.deepEqual([later.told, later.handle.written], [['failed'], ['a']]);
  const atOnce = setUp();
  atOnce.handle.result = EPIPE;
  atOnce.writes.text('a');
  assert.deepEqual([atOnce.told, atOnce.writes.idle], [['failed'], true]);
  const unseen = setUp();
  unseen.writes.text('a');
  unseen.handle.complete(EPIPE);
  assert.deepEqual(unseen.told, []);
  const lent = unseen.buffers.borrow();
  assert.ok(lent !== undefined);
  unseen.writes.textAndBytes('b', lent, undefined);
  unseen.buffers.release(lent);
  unseen.writes.text('c');
  assert.deepEqual([unseen.told, unseen.handle.written, unseen.buffers.lent], [['failed'], ['a'], 0]);
});
