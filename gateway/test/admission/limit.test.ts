import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limited } from './entrant.ts';

const done = [undefined, false] as const;

test('as many as the limit are in at once, and hear nothing of it', () => {
  const { limit, log, entrant } = limited({ max: 3 });
  for (const name of ['a', 'b', 'c']) assert.equal(limit.enter(entrant(name)), 'in');
  assert.equal(limit.enter(entrant('d')), 'waiting');
  assert.deepEqual([limit.inFlight, limit.limit, limit.queued], [3, 3, 1]);
  assert.deepEqual(log, []);
});

test('who waits is let in when one leaves: high before normal, then first come', () => {
  const { limit, log, entrant } = limited({ queue: 4 });
  limit.enter(entrant('first'));
  limit.enter(entrant('n1'));
  limit.enter(entrant('h1', 'high'));
  limit.enter(entrant('n2'));
  limit.enter(entrant('h2', 'high'));
  for (let i = 0; i < 4; i++) limit.leave(...done);
  assert.deepEqual(log, ['h1 admitted', 'h2 admitted', 'n1 admitted', 'n2 admitted']);
  assert.equal(limit.inFlight, 1);
});

test('low is shed at once where there is no room', () => {
  const { limit, entrant } = limited();
  assert.equal(limit.enter(entrant('a', 'low')), 'in');
  assert.equal(limit.enter(entrant('b', 'low')), 'shed');
  assert.equal(limit.queued, 0);
});

test('a full line sheds normal ones, and takes a high one in the place of the newest normal one', () => {
  const { limit, log, entrant } = limited();
  limit.enter(entrant('first'));
  limit.enter(entrant('n1'));
  limit.enter(entrant('n2'));
  assert.equal(limit.enter(entrant('n3')), 'shed');
  assert.equal(limit.enter(entrant('h1', 'high')), 'waiting');
  assert.deepEqual(log, ['n2 shed']);
  assert.equal(limit.enter(entrant('h2', 'high')), 'waiting');
  assert.equal(limit.enter(entrant('h3', 'high')), 'shed', 'only high ones wait');
  assert.deepEqual(log, ['n2 shed', 'n1 shed']);
});

test('without places to wait everybody is shed at once, high ones too', () => {
  const { limit, entrant } = limited({ queue: 0 });
  limit.enter(entrant('a'));
  assert.equal(limit.enter(entrant('b')), 'shed');
  assert.equal(limit.enter(entrant('c', 'high')), 'shed');
});

test('each waits for its own time and no longer', () => {
  const { clock, limit, log, entrant } = limited();
  limit.enter(entrant('first'));
  limit.enter(entrant('n', 'normal'));
  clock.advance(500);
  limit.enter(entrant('h', 'high'));
  clock.advance(450);
  assert.deepEqual(log, []);
  clock.advance(150);
  assert.deepEqual(log, ['n queue_timeout']);
  clock.advance(500);
  assert.deepEqual(log, ['n queue_timeout', 'h queue_timeout']);
  assert.equal(limit.queued, 0);
});

test('one that was let in or shed is not turned away by its old deadline', () => {
  const { clock, limit, log, entrant } = limited({ queue: 1 });
  limit.enter(entrant('first'));
  limit.enter(entrant('n1'));
  limit.leave(...done);
  limit.enter(entrant('n2'));
  limit.enter(entrant('h', 'high'));
  limit.leave(...done);
  clock.advance(5_000);
  assert.deepEqual(log, ['n1 admitted', 'n2 shed', 'h admitted']);
});

test('a cancelled one hears nothing more, and its place is free', () => {
  const { clock, limit, log, entrant } = limited({ queue: 3 });
  const [a, b, c] = [entrant('a'), entrant('b'), entrant('c')];
  limit.enter(entrant('first'));
  for (const one of [a, b, c]) limit.enter(one);
  limit.cancel(b);
  limit.cancel(b);
  limit.cancel(entrant('nobody'));
  assert.equal(limit.queued, 2);
  limit.leave(...done);
  limit.leave(...done);
  clock.advance(5_000);
  assert.deepEqual(log, ['a admitted', 'c admitted']);
});

test('a line of ten thousand whose admitted ones all end at once does not grow the stack', () => {
  const { limit, log, entrant } = limited({ queue: 10_000 });
  limit.enter(entrant('first'));
  for (let i = 0; i < 10_000; i++) {
    const one = entrant(`${i}`);
    one.reaction = () => limit.leave(...done);
    limit.enter(one);
  }
  limit.leave(...done);
  assert.equal(log.length, 10_000);
  assert.deepEqual([limit.inFlight, limit.queued], [0, 0]);
});

test('one that enters while another is being admitted queues behind those who waited before', () => {
  const { limit, log, entrant } = limited({ max: 2 });
  limit.enter(entrant('x'));
  limit.enter(entrant('y'));
  const a = entrant('a');
  a.reaction = () => {
    limit.leave(...done);
    assert.equal(limit.enter(entrant('late')), 'waiting');
  };
  limit.enter(a);
  limit.enter(entrant('b'));
  limit.leave(...done);
  limit.leave(...done);
  assert.deepEqual(log, ['a admitted', 'b admitted', 'late admitted']);
});

test('one that takes the place of another is in at once when that one makes room', () => {
  const { limit, log, entrant } = limited({ queue: 1 });
  limit.enter(entrant('first'));
  const n = entrant('n');
  n.reaction = () => limit.leave(...done);
  limit.enter(n);
  assert.equal(limit.enter(entrant('h', 'high')), 'in', 'not told before enter has returned');
  assert.deepEqual(log, ['n shed']);
  assert.deepEqual([limit.inFlight, limit.queued], [1, 0]);
});

test('one that enters again when turned away finds its place taken', () => {
  const { limit, log, entrant } = limited({ queue: 1 });
  limit.enter(entrant('first'));
  const n = entrant('n');
  n.reaction = () => assert.equal(limit.enter(n), 'shed');
  limit.enter(n);
  assert.equal(limit.enter(entrant('h', 'high')), 'waiting');
  assert.deepEqual(log, ['n shed']);
});

test('an entrant that throws does not close the limit for those behind it', () => {
  const { limit, log, entrant } = limited();
  limit.enter(entrant('first'));
  const a = entrant('a');
  a.reaction = () => {
    throw new Error('of its own');
  };
  limit.enter(a);
  limit.enter(entrant('b'));
  assert.throws(() => limit.leave(...done), /of its own/);
  limit.leave(...done);
  assert.deepEqual(log, ['a admitted', 'b admitted']);
});

test('a new plan lets in those who now have room, and keeps the others', () => {
  const { limit, log, entrant } = limited();
  limit.enter(entrant('first'));
  limit.enter(entrant('a'));
  limit.enter(entrant('b'));
  limit.update({ max: 2, queue: 0, queueTimeoutMs: 10, adaptive: false });
  assert.deepEqual(log, ['a admitted']);
  assert.deepEqual([limit.inFlight, limit.limit, limit.queued], [2, 2, 1]);
  limit.update({ max: 1, queue: 0, queueTimeoutMs: 10, adaptive: false });
  limit.leave(...done);
  assert.deepEqual(log, ['a admitted'], 'still one under way');
  limit.leave(...done);
  assert.deepEqual(log, ['a admitted', 'b admitted']);
});

test('a plan can switch following latency on and off, and bound it anew', () => {
  const { limit } = limited({ max: 300 });
  limit.update({ max: 300, queue: 0, queueTimeoutMs: 10, adaptive: true });
  assert.equal(limit.limit, 20);
  limit.update({ max: 7, queue: 0, queueTimeoutMs: 10, adaptive: true });
  assert.equal(limit.limit, 7);
  limit.update({ max: 300, queue: 0, queueTimeoutMs: 10, adaptive: false });
  assert.equal(limit.limit, 300);
});

test('a closed limit sheds those who wait and all who come, and lets the others leave', () => {
  const { clock, limit, log, entrant } = limited();
  limit.enter(entrant('first'));
  const a = entrant('a');
  a.reaction = () => limit.leave(...done);
  limit.enter(a);
  limit.enter(entrant('b', 'high'));
  limit.close();
  assert.equal(limit.enter(entrant('c')), 'shed');
  clock.advance(5_000);
  assert.deepEqual(log, ['b shed', 'a shed']);
  assert.deepEqual([limit.inFlight, limit.queued], [0, 0]);
});
