import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Agent } from '../../src/data/agent.ts';
import type { GatewayOptions } from '../../src/gateway.ts';
import { eventually } from '../relay/gateway-in-test.ts';
import { ManualClock } from '../support/manual-clock.ts';
import type { RawConnection } from '../support/raw-backend.ts';
import type { RawClient } from '../support/raw-client.ts';
import { answer, OK, type PlanChanges, type Stage, stage } from '../support/stage.ts';

const GET = 'GET /events HTTP/1.1\r\nHost: a\r\n\r\n';
const GET_10 = 'GET /events HTTP/1.0\r\nHost: a\r\n\r\n';
const CHUNKED = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n';
const UNTIL_CLOSE = 'HTTP/1.1 200 OK\r\ncontent-type: Text/Event-Stream;charset=utf-8\r\n\r\n';

const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;

interface EventStage extends Stage {
  readonly clock: ManualClock;
  readonly reader: RawClient;
  readonly server: RawConnection;
  /** The backend sends an event, or some other text. */
  send(text: string): void;
  /** The body that the client has, without the framing of its chunks. */
  body(): string;
}

interface EventOptions {
  readonly head?: string;
  readonly request?: string;
  readonly changes?: PlanChanges;
  readonly options?: GatewayOptions;
}

async function eventStage(t: TestContext, given: EventOptions = {}): Promise<EventStage> {
  const { head = CHUNKED, request = GET, changes = {}, options = {} } = given;
  const clock = new ManualClock();
  const there = await stage(t, undefined, changes, { clock, random: () => 0, ...options });
  const client = await there.client();
  client.send(request);
  await there.backend.until(({ received }) => received.endsWith('\r\n\r\n'));
  const [server] = there.backend.connections;
  assert.ok(server);
  server.socket.write(head);
  await client.contains('\r\n\r\n');
  return {
    ...there,
    ...{ clock, reader: client, server },
    send: (text) => void server.socket.write(head === CHUNKED ? chunk(text) : text),
    body: () => bodyOf(client.received),
  };
}

function bodyOf(received: string): string {
  const at = received.indexOf('\r\n\r\n') + 4;
  const raw = received.slice(at);
  if (!/\r\nTransfer-Encoding: chunked\r\n/.test(received)) return raw;
  return raw.replaceAll(
    /([0-9a-f]+)\r\n([\s\S]*?)\r\n(?=[0-9a-f]+\r\n|$)/g,
    (_, _size, text: string) => text,
  );
}

const WAYS: readonly (EventOptions & { readonly name: string })[] = [
  { name: 'chunked' },
  { name: 'chunked to HTTP/1.0', request: GET_10 },
  { name: 'until close', head: UNTIL_CLOSE },
  { name: 'until close to HTTP/1.0', head: UNTIL_CLOSE, request: GET_10 },
];

test('every event goes on as soon as it comes, even one that comes in pieces', async (t) => {
  for (const way of WAYS) {
    await t.test(way.name, async (row) => {
      const { send, body, reader: client } = await eventStage(row, way);
      let all = '';
      for (const text of [
        'data: 1\n\n',
        ': no event\n',
        'data: two',
        ' and a half\n',
        '\n',
        'data: 3\r\n\r\n',
      ]) {
        send(text);
        all += text;
        await client.until(() => body() === all);
      }
    });
  }
});

test('a stream that ends by itself ends as any answer does, and its connections go on', async (t) => {
  const there = await eventStage(t);
  there.send('data: 1\n\n');
  there.server.socket.write('0\r\n\r\n');
  await there.reader.until((received) => received.endsWith('0\r\n\r\n'));
  const before = there.server.received.length;
  there.reader.send(GET);
  await there.backend.until(() => there.server.received.length > before);
  there.server.socket.write(OK);
  await there.reader.contains('\r\n\r\nok');
  assert.equal(there.backend.connections.length, 1);
});

test('a stream has no total timeout, and an idle timeout of its own', async (t) => {
  for (const way of WAYS) {
    await t.test(way.name, async (row) => {
      const timeouts = { totalMs: 5_000, idleMs: 2_000, eventStreamMs: 30_000 };
      const there = await eventStage(row, { ...way, changes: { route: { timeouts } } });
      for (let turn = 1; turn <= 3; turn++) {
        there.clock.advance(29_000);
        there.send(`data: ${turn}\n\n`);
        await there.reader.until(() => there.body().endsWith(`data: ${turn}\n\n`));
      }
      there.clock.advance(31_000);
      await there.backend.until(() => there.server.closed || there.server.ended);
      await eventually(() => there.reader.closed || there.reader.ended);
    });
  }
});

test('the timeouts of other answers, after a stream on the same connections and before, are what they were', async (t) => {
  const timeouts = { totalMs: 0, idleMs: 2_000, headMs: 3_000, eventStreamMs: 30_000 };
  const there = await eventStage(t, { changes: { route: { timeouts } } });
  there.server.socket.write(`${chunk('data: 1\n\n')}0\r\n\r\n`);
  await there.reader.until((received) => received.endsWith('0\r\n\r\n'));
  const before = there.server.received.length;
  there.reader.send(GET);
  await there.backend.until(() => there.server.received.length > before);
  there.server.socket.write(
    `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n${chunk('one')}`,
  );
  await there.reader.contains('one');
  there.clock.advance(2_200);
  await eventually(() => there.reader.closed);
});

test('a stream that has said much holds no large buffer', async (t) => {
  const there = await eventStage(t);
  const event = `data: ${'x'.repeat(60_000)}\n\n`;
  for (let turn = 1; turn <= 8; turn++) {
    there.send(event);
    await there.reader.until(() => there.body().length === turn * event.length);
  }
  const [backend] = there.gateway.data.services[0]?.backends ?? [];
  assert.ok(backend?.agent instanceof Agent);
  assert.equal(backend.agent.buffers.lent, 0);
});

test('a drain ends a stream after an event, as a complete answer', async (t) => {
  for (const way of WAYS) {
    await t.test(way.name, async (row) => {
      const there = await eventStage(row, way);
      there.send('data: 1\n\n');
      await there.reader.until(() => there.body() === 'data: 1\n\n');
      const drained = there.gateway.data.drain(20_000);
      there.clock.advance(100);
      assert.match(
        await there.reader.end(),
        way.request === GET_10 ? /data: 1\n\n$/ : /data: 1\n\n\r\n0\r\n\r\n$/,
      );
      assert.equal(there.reader.error, undefined);
      await there.backend.until(() => there.server.ended || there.server.closed);
      await drained;
    });
  }
});

test('in the middle of an event a drain waits for its end, and passes nothing of the next one on', async (t) => {
  for (const way of WAYS) {
    await t.test(way.name, async (row) => {
      const there = await eventStage(row, way);
      there.send('data: 1\n\ndata: 2');
      await there.reader.until(() => there.body().endsWith('data: 2'));
      const drained = there.gateway.data.drain(20_000);
      there.clock.advance(1_000);
      there.send('\n');
      await there.reader.until(() => there.body().endsWith('data: 2\n'));
      there.send('\ndata: 3\n\n');
      await there.reader.until(() => there.body().endsWith('data: 2\n\n'));
      there.clock.advance(200);
      const last = way.request === GET_10 ? /data: 2\n\n$/ : /0\r\n\r\n$/;
      assert.match(await there.reader.end(), last);
      assert.doesNotMatch(there.reader.received, /data: 3/);
      await drained;
    });
  }
});

test('an event that does not end is broken off, visibly', async (t) => {
  const there = await eventStage(t);
  there.send('data: 1\n\ndata: 2');
  await there.reader.until(() => there.body().endsWith('data: 2'));
  const drained = there.gateway.data.drain(20_000);
  there.clock.advance(5_500);
  await eventually(() => there.reader.closed);
  assert.doesNotMatch(there.reader.received, /0\r\n\r\n$/);
  await drained;
});

test('a stream whose route is taken away by a reload ends, and its client may ask again on its connection', async (t) => {
  const there = await eventStage(t);
  there.send('data: 1\n\n');
  await there.reader.until(() => there.body() === 'data: 1\n\n');
  const { data } = there.gateway;
  const [route] = data.routes;
  assert.ok(route);
  const { listeners } = data;
  const [service] = data.services;
  assert.ok(service && listeners[0]);
  await data.apply({
    listeners: listeners.map(({ plan }) => plan),
    services: [service.plan],
    routes: [{ ...route.plan, path: '/elsewhere' }],
    explainTokenSha256: undefined,
  });
  there.clock.advance(26_000);
  await there.reader.until((received) => received.endsWith('0\r\n\r\n'));
  await there.reader.send(GET).contains('"no_route"');
});

test('streams are ended before their time is up, spread like WebSockets', async (t) => {
  const clock = new ManualClock();
  let at = 0;
  const random = (): number => (at++ % 20) / 20;
  const there = await stage(
    t,
    ({ socket }) => socket.write(`${CHUNKED}${chunk('data: 1\n\n')}`),
    {},
    { clock, random },
  );
  const clients: RawClient[] = [];
  for (let i = 0; i < 20; i++) {
    const client = await there.client();
    clients.push(client);
    await client.send(GET).contains('data: 1');
  }
  const drained = there.gateway.data.drain(25_000);
  clock.advance(750);
  await eventually(() => clients.some(({ ended }) => ended));
  assert.equal(
    clients.every(({ ended }) => ended),
    false,
  );
  clock.advance(1_000);
  for (const client of clients) assert.match(await client.end(), /0\r\n\r\n$/);
  await drained;
});

test('a client that leaves ends the stream at the backend', async (t) => {
  const there = await eventStage(t);
  there.send('data: 1\n\n');
  await there.reader.until(() => there.body() === 'data: 1\n\n');
  there.reader.socket.resetAndDestroy();
  await there.backend.until(() => there.server.ended || there.server.closed);
  // nothing is left of it to be ended
  await there.gateway.data.drain(20_000);
});

test('an answer of another type, or of a known length, is no stream of events', async (t) => {
  const heads = [
    'HTTP/1.1 200 OK\r\nContent-Type: text/event-streams\r\nTransfer-Encoding: chunked\r\n\r\n',
    'HTTP/1.1 200 OK\r\nX-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 100\r\n\r\n',
  ];
  for (const head of heads) {
    await t.test(head.split('\r\n')[1] ?? '', async (row) => {
      const timeouts = { idleMs: 2_000, eventStreamMs: 30_000 };
      const there = await eventStage(row, { head, changes: { route: { timeouts } } });
      there.server.socket.write(chunk('some'));
      await there.reader.contains('some');
      there.clock.advance(2_200);
      await eventually(() => there.reader.closed);
    });
  }
});

test('a client that waits long for an answer (long polling) is cut off by nothing but the route s own timeout', async (t) => {
  const clock = new ManualClock();
  const changes = {
    route: { timeouts: { headMs: 600_000 } },
    listener: { headTimeoutMs: 1_000, bodyTimeoutMs: 1_000, keepAliveTimeoutMs: 1_000 },
  };
  const there = await stage(t, undefined, changes, { clock });
  const client = await there.client();
  for (let turn = 1; turn <= 2; turn++) {
    client.received = '';
    client.send(GET);
    await there.backend.until(({ received }) => received.split('\r\n\r\n').length === turn + 1);
    clock.advance(590_000);
    there.backend.connections.at(-1)?.socket.write(OK);
    await client.contains('ok');
  }
  client.received = '';
  client.send(GET);
  await there.backend.until(({ received }) => received.split('\r\n\r\n').length === 4);
  clock.advance(600_200);
  await client.contains(' 504 ');
});

test('of clients that poll at the same time each gets its own answer', async (t) => {
  const there = await stage(t, answer(), {}, {});
  const clients = await Promise.all(Array.from({ length: 50 }, () => there.client()));
  await Promise.all(clients.map((client) => client.send(GET).contains('ok')));
});
