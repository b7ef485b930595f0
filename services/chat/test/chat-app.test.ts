import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:http';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { json, started, stillOptions } from '../../shared/test/support.ts';
import { buildChatApp } from '../src/chat-app.ts';

const NEVER_MS = 2 ** 31 - 1;
const AT_MS = 1_700_000_000_000;

function startChat(t: TestContext, changes: Parameters<typeof stillOptions>[0] = {}): Promise<string> {
  return started(t, buildChatApp({ ...stillOptions(changes), pingIntervalMs: NEVER_MS }));
}

/** A client that queues what it gets, so that no event is missed between two awaits. */
class Client {
  readonly socket: WebSocket;
  readonly #received: unknown[] = [];
  readonly #waiting: ((event: unknown) => void)[] = [];

  constructor(t: TestContext, url: string, query: string) {
    this.socket = new WebSocket(`${url.replace('http', 'ws')}/ws?${query}`);
    t.after(() => this.socket.terminate());
    this.socket.on('message', (data) => {
      const event: unknown = JSON.parse(data.toString());
      const waiting = this.#waiting.shift();
      if (waiting === undefined) this.#received.push(event);
      else waiting(event);
    });
  }

  next(): Promise<unknown> {
    const event = this.#received.shift();
    return event === undefined
      ? new Promise((resolve) => this.#waiting.push(resolve))
      : Promise.resolve(event);
  }

  say(text: unknown): void {
    this.socket.send(JSON.stringify({ type: 'say', text }));
  }
}

/** The status an upgrade was refused with, and the answer's body. */
async function refusal(url: string, path: string): Promise<{ status: number | undefined; body: string }> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}${path}`);
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
  let body = '';
  for await (const chunk of response) body += String(chunk);
  assert.match(String(response.headers['x-instance']), /^chat-\d+$/);
  return { status: response.statusCode, body };
}

test('a room tells its members who comes, what is said and who goes', async (t) => {
  const url = await startChat(t);
  const instance = `chat-${new URL(url).port}`;
  const ann = new Client(t, url, 'room=lobby&name=Ann');
  assert.deepEqual(await ann.next(), {
    type: 'welcome',
    instance,
    room: 'lobby',
    you: 'Ann',
    members: ['Ann'],
    history: [],
  });
  const bob = new Client(t, url, 'room=lobby&name=Bob');
  await bob.next();
  assert.deepEqual(await ann.next(), { type: 'joined', name: 'Bob', atMs: AT_MS });
  bob.say('hi <b>');
  const said = { type: 'message', from: 'Bob', text: 'hi <b>', atMs: AT_MS };
  assert.deepEqual(await ann.next(), said);
  assert.deepEqual(await bob.next(), said);
  bob.socket.close();
  assert.deepEqual(await ann.next(), { type: 'left', name: 'Bob', atMs: AT_MS });
});

test('who joins gets the last 50 messages of that room and none of another', async (t) => {
  let nowMs = AT_MS;
  const url = await startChat(t, { now: () => (nowMs += 1_000) });
  const ann = new Client(t, url, 'room=lobby&name=Ann');
  await ann.next();
  for (let i = 0; i < 60; i += 1) {
    ann.say(`message ${i}`);
    await ann.next();
  }
  const bob = new Client(t, url, 'room=lobby&name=Bob');
  const { history } = (await bob.next()) as { history: { text: string }[] };
  assert.deepEqual(
    [history.length, history[0]?.text, history.at(-1)?.text],
    [50, 'message 10', 'message 59'],
  );
  const eve = new Client(t, url, 'room=other&name=Eve');
  assert.deepEqual(((await eve.next()) as { history: unknown[] }).history, []);
});

test('a room can be named in the path, which a gateway can hash', async (t) => {
  const url = await startChat(t);
  const ann = new Client(t, url, 'room=lobby&name=Ann');
  await ann.next();
  const bob = new WebSocket(`${url.replace('http', 'ws')}/ws/lobby?name=Bob`);
  t.after(() => bob.terminate());
  assert.deepEqual(await ann.next(), { type: 'joined', name: 'Bob', atMs: AT_MS });
  assert.equal((await refusal(url, '/ws/a%2Fb?name=Ann')).status, 400);
  assert.equal((await refusal(url, '/ws/lobby/more?name=Ann')).status, 404);
  assert.equal((await fetch(`${url}/ws/lobby`)).status, 426);
});

test('who says too much at once is refused, and heard again later', async (t) => {
  let nowMs = AT_MS;
  const url = await startChat(t, { now: () => nowMs });
  const ann = new Client(t, url, 'room=lobby&name=Ann');
  await ann.next();
  const types: string[] = [];
  for (let i = 0; i < 12; i += 1) {
    ann.say(`message ${i}`);
    types.push(((await ann.next()) as { type: string }).type);
  }
  assert.deepEqual(types, [...Array(10).fill('message'), 'error', 'error']);
  nowMs += 200;
  ann.say('again');
  assert.deepEqual(await ann.next(), { type: 'message', from: 'Ann', text: 'again', atMs: nowMs });
});

test('GET /rooms lists rooms, members and messages', async (t) => {
  const url = await startChat(t);
  const ann = new Client(t, url, 'room=lobby&name=Ann');
  await ann.next();
  ann.say('hi');
  await ann.next();
  const { rooms } = (await (await fetch(`${url}/rooms`)).json()) as { rooms: unknown };
  assert.deepEqual(rooms, [{ name: 'lobby', members: ['Ann'], messages: 1 }]);
});

test('a message that makes no sense is answered with an error and told nobody', async (t) => {
  const url = await startChat(t);
  const ann = new Client(t, url, 'room=lobby&name=Ann');
  const bob = new Client(t, url, 'room=lobby&name=Bob');
  await Promise.all([ann.next(), bob.next()]);
  for (const bad of [
    'not JSON',
    '[]',
    'null',
    '{"type":"shout","text":"x"}',
    '{"type":"say"}',
    '{"type":"say","text":" "}',
    JSON.stringify({ type: 'say', text: 'x'.repeat(2_001) }),
  ]) {
    bob.socket.send(bad);
    assert.equal(((await bob.next()) as { type: string }).type, 'error', bad.slice(0, 40));
  }
  bob.say('after');
  for (;;) {
    const event = (await ann.next()) as { type: string; text?: string };
    if (event.type === 'joined') continue;
    assert.equal(event.text, 'after');
    break;
  }
});

test('a message over the size limit closes its sender with 1009 and nobody else', async (t) => {
  const url = await startChat(t);
  const ann = new Client(t, url, 'room=lobby&name=Ann');
  await ann.next();
  const bob = new Client(t, url, 'room=lobby&name=Bob');
  await bob.next();
  const closed = once(bob.socket, 'close');
  bob.socket.send('x'.repeat(17 * 1024));
  assert.equal((await closed)[0], 1009);
  assert.equal(((await ann.next()) as { type: string }).type, 'joined');
  assert.equal(((await ann.next()) as { type: string }).type, 'left');
});

test('upgrades to elsewhere or with a bad room or name are refused in HTTP', async (t) => {
  const url = await startChat(t);
  assert.equal((await refusal(url, '/other')).status, 404);
  for (const query of [
    'name=Ann',
    'room=a%20b&name=Ann',
    'room=a',
    'room=a&name=%20',
    'room=a&name=a%0Ab',
    `room=a&name=${'x'.repeat(33)}`,
  ]) {
    const { status, body } = await refusal(url, `/ws?${query}`);
    assert.equal(status, 400, query);
    assert.match(body, /must be/);
  }
});

test('GET /ws without an upgrade is told to upgrade', async (t) => {
  const response = await fetch(`${await startChat(t)}/ws`);
  assert.deepEqual([response.status, response.headers.get('upgrade')], [426, 'websocket']);
});

test('an upgrade to something else is ignored and answered in HTTP/1.1', async (t) => {
  const url = await startChat(t);
  const headers = { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': 'AAMAAABk' };
  const [response] = (await once(get(`${url}/rooms`, { headers, agent: false }), 'response')) as [
    IncomingMessage,
  ];
  response.resume();
  assert.equal(response.statusCode, 200);
});

test('the knobs hold for upgrades too', async (t) => {
  const url = await startChat(t);
  await fetch(`${url}/knobs`, json('PUT', { failRate: 1, failStatus: 503 }));
  assert.equal((await refusal(url, '/ws?room=a&name=Ann')).status, 503);
});

test('closing the app tells the members with 1001 and waits for them', async (t) => {
  const app = buildChatApp({ ...stillOptions(), pingIntervalMs: NEVER_MS });
  const url = await started(t, app);
  const ann = new Client(t, url, 'room=lobby&name=Ann');
  await ann.next();
  const closed = once(ann.socket, 'close');
  await app.close();
  assert.equal((await closed)[0], 1001);
});

test('a peer that stops answering pings is cut off and leaves its room', async (t) => {
  const url = await started(t, buildChatApp({ ...stillOptions(), pingIntervalMs: 20 }));
  const ann = new Client(t, url, 'room=lobby&name=Ann');
  await ann.next();
  const bob = new WebSocket(`${url.replace('http', 'ws')}/ws?room=lobby&name=Bob`, { autoPong: false });
  t.after(() => bob.terminate());
  assert.equal(((await ann.next()) as { type: string }).type, 'joined');
  assert.deepEqual(await ann.next(), { type: 'left', name: 'Bob', atMs: AT_MS });
  // Ann, who answers, has lived through the same beats
  ann.say('still here');
  assert.equal(((await ann.next()) as { type: string }).type, 'message');
});
