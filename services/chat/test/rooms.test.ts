import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Rooms } from '../src/rooms.ts';

const somebody = { name: 'Ann', send: () => undefined };

test('a room outlives its members until another needs its place, the oldest empty one first', () => {
  const rooms = new Rooms({ maxHistory: 10, maxRooms: 3 });
  const full = rooms.open('full');
  full?.join(somebody, 0);
  rooms.open('old')?.say('Ann', 'kept', 0);
  rooms.open('young');
  assert.equal(rooms.open('old')?.history.length, 1);
  rooms.open('new');
  assert.deepEqual(
    rooms.list().map(({ name }) => name),
    ['full', 'young', 'new'],
  );
});

test('no room is opened when all places are taken by rooms with somebody in', () => {
  const rooms = new Rooms({ maxHistory: 10, maxRooms: 1 });
  const room = rooms.open('full');
  room?.join(somebody, 0);
  assert.equal(rooms.open('new'), undefined);
  assert.equal(rooms.open('full'), room);
  room?.leave(somebody, 0);
  assert.notEqual(rooms.open('new'), undefined);
});
