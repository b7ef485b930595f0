import assert from 'node:assert/strict';
import type { ServerHttp2Stream } from 'node:http2';
import { test } from 'node:test';
import { ACK, END_HEADERS, END_STREAM, ERROR, frame, TYPE } from '../http2-clients/frames.ts';
import { ask, nodeClient } from '../http2-clients/http2-stage.ts';
import { allQuiet, eventually, only } from '../relay/gateway-in-test.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { retryPlan, servicePlan } from '../support/plans.ts';
import { startFrameBackend } from './frame-backend.ts';
import { say, startH2Backend } from './h2-backend.ts';
import { GET, gatewayBefore, POST, planBefore } from './h2-stage.ts';

const TWO_STREAMS = { settings: { maxConcurrentStreams: 2 } };
const OK = [[':status', '200']] as const;
const WHOLE = END_HEADERS | END_STREAM;

/** Starts `count` requests, each by a client of its own. */
async function start(gateway: Awaited<ReturnType<typeof gatewayBefore>>, count: number, text = GET) {
  const clients = [];
  for (let i = 0; i < count; i++) clients.push((await gateway.client()).send(text));
  return clients;
}

test('a session takes as many streams as its backend allows, and the next one what is more', async (t) => {
  const held: ServerHttp2Stream[] = [];
  const backend = await startH2Backend(t, (stream) => void held.push(stream), TWO_STREAMS);
  const gateway = await gatewayBefore(t, [backend], { pool: { ...servicePlan([]).pool, maxConnections: 2 } });
  const clients = await start(gateway, 5);
  await eventually(() => held.length === 4 && only(gateway).agent.stats.queued === 1);
  assert.deepEqual(only(gateway).agent.stats, { active: 2, idle: 0, connecting: 0, queued: 1 });
  assert.equal(backend.sessions.length, 2);
  // the one that waits gets the first place that is free
  for (const stream of held.slice()) say(stream, 'x');
  await eventually(() => held.length === 5);
  for (const stream of held.slice(4)) say(stream, 'x');
  for (const client of clients) await client.contains('0\r\n\r\n');
  assert.equal(only(gateway).pending, 0);
});

test('the queue is bounded in length and in time', async (t) => {
  const clock = new ManualClock();
  const held: ServerHttp2Stream[] = [];
  const backend = await startH2Backend(t, (stream) => void held.push(stream), {
    settings: { maxConcurrentStreams: 1 },
  });
  const pool = { ...servicePlan([]).pool, maxConnections: 1, maxQueue: 1 };
  const gateway = await gatewayBefore(t, [backend], { pool }, { clock });
  await start(gateway, 1);
  await eventually(() => held.length === 1);
  const [waiting] = await start(gateway, 1);
  await eventually(() => only(gateway).agent.stats.queued === 1);
  const [refused] = await start(gateway, 1);
  assert.match((await refused?.contains('"queue_full"')) ?? '', /^HTTP\/1\.1 503 /);
  clock.advance(1_200);
  assert.match((await waiting?.contains('"queue_timeout"')) ?? '', /^HTTP\/1\.1 503 /);
});

test('what a backend allows may change while the session lasts', async (t) => {
  const held: ServerHttp2Stream[] = [];
  const backend = await startH2Backend(t, (stream) => void held.push(stream), {
    settings: { maxConcurrentStreams: 1 },
  });
  const gateway = await gatewayBefore(t, [backend], { pool: { ...servicePlan([]).pool, maxConnections: 1 } });
  await start(gateway, 3);
  await eventually(() => held.length === 1 && only(gateway).agent.stats.queued === 2);
  backend.sessions[0]?.settings({ maxConcurrentStreams: 3 });
  await eventually(() => held.length === 3);
});

test('a session is retired by its number of requests and its age, once its streams have ended', async (t) => {
  const clock = new ManualClock();
  const held: ServerHttp2Stream[] = [];
  const backend = await startH2Backend(t, (stream, headers) => {
    if (headers[':path'] === '/held') held.push(stream);
    else say(stream, 'x');
  });
  const pool = { ...servicePlan([]).pool, maxRequests: 2, maxAgeMs: 10_000 };
  const gateway = await gatewayBefore(t, [backend], { pool }, { clock, random: () => 0.5 });
  const [slow] = await start(gateway, 1, GET.replace('/', '/held'));
  await eventually(() => held.length === 1);
  for (let i = 0; i < 2; i++) {
    const [client] = await start(gateway, 1);
    await client?.contains('0\r\n\r\n');
  }
  assert.equal(backend.sessions.length, 2);
  assert.equal(backend.sessions[0]?.destroyed, false);
  for (const stream of held) say(stream, 'late');
  await slow?.contains('late');
  await eventually(() => only(gateway).agent.counters.closed.get('aged') === 1);
  clock.advance(2_000);
  clock.advance(2_000);
  const [client] = await start(gateway, 1);
  await client?.contains('0\r\n\r\n');
});

test('a session without streams is closed after the idle timeout, with GOAWAY', async (t) => {
  const clock = new ManualClock();
  const backend = await startFrameBackend(t, (connection, stream) => connection.headers(stream, OK, WHOLE));
  const gateway = await gatewayBefore(t, [backend], {}, { clock });
  const [client] = await start(gateway, 1);
  await client?.contains('\r\n\r\n');
  await eventually(() => only(gateway).agent.stats.idle === 1);
  clock.advance(4_200);
  await backend.until(() => backend.connections[0]?.closed === true);
  assert.equal(backend.count(TYPE.GOAWAY), 1);
  assert.equal(only(gateway).agent.counters.closed.get('idle'), 1);
  assert.deepEqual(only(gateway).agent.stats, { active: 0, idle: 0, connecting: 0, queued: 0 });
});

test('GOAWAY: what was not processed goes again on a new session, POSTs too, and the rest ends as it began', async (t) => {
  const backend = await startFrameBackend(t, (connection, stream) => {
    if (connection !== backend.connections[0])
      connection.headers(stream, OK).data(stream, 'second', END_STREAM);
    // the first was begun, the others not
    else if (stream === 5) connection.goaway(1).headers(1, OK).data(1, 'first', END_STREAM);
  });
  const gateway = await gatewayBefore(t, [backend], { retry: undefined });
  const [first] = await start(gateway, 1);
  await backend.until(() => backend.count(TYPE.HEADERS) === 1);
  const others = await start(gateway, 2, POST);
  assert.match((await first?.contains('0\r\n\r\n')) ?? '', /first/);
  for (const client of others) assert.match(await client.contains('0\r\n\r\n'), /second/);
  assert.deepEqual(gateway.ended.map(({ status, races }) => [status, races]).sort(), [
    [200, 0],
    [200, 1],
    [200, 1],
  ]);
  assert.equal(only(gateway).agent.counters.closed.get('goaway'), 1);
  assert.equal(only(gateway).counters.byKind.has('backend_closed 0'), false);
});

test('a rolling restart with GOAWAY loses nothing', async (t) => {
  const answer = (stream: ServerHttp2Stream): void => {
    stream.resume().on('end', () => say(stream, 'x'));
  };
  let backends = [await startH2Backend(t, answer), await startH2Backend(t, answer)];
  const ports = backends.map(({ port }) => port);
  const gateway = await gatewayBefore(t, backends);
  const session = await nodeClient(t, gateway.port);
  const state = { stopped: false, answered: 0 };
  const loop = async (method: string, body: string | undefined): Promise<void> => {
    while (!state.stopped) {
      const { status } = await ask(session, { ':method': method }, body);
      assert.equal(status, 200);
      state.answered += 1;
    }
  };
  const loops = [loop('GET', undefined), loop('POST', 'abc'), loop('GET', undefined), loop('POST', 'abc')];
  for (let round = 0; round < 3; round++) {
    for (const [index, port] of ports.entries()) {
      const before = state.answered;
      await eventually(() => state.answered > before + 20);
      await backends[index]?.stop('goaway');
      const fresh = await startH2Backend(t, answer, { port });
      backends = backends.with(index, fresh);
    }
  }
  state.stopped = true;
  await Promise.all(loops);
  assert.ok(gateway.ended.every(({ status }) => status === 200));
});

test('a stream that the backend refuses goes to another backend, whatever its method', async (t) => {
  const refusing = await startFrameBackend(t, (connection, stream) =>
    connection.reset(stream, ERROR.REFUSED_STREAM),
  );
  const good = await startH2Backend(t, (stream) => say(stream, 'good'));
  const gateway = await gatewayBefore(t, [refusing, good], { balance: { kind: 'round-robin' } });
  for (let i = 0; i < 2; i++) {
    const [client] = await start(gateway, 1, POST);
    assert.match((await client?.contains('0\r\n\r\n')) ?? '', /good/);
  }
  assert.equal(gateway.backends[0]?.counters.byKind.get('stream_refused 0'), 1);
});

test('alone, a backend that refuses streams is answered for with 503', async (t) => {
  const refusing = await startFrameBackend(t, (connection, stream) =>
    connection.reset(stream, ERROR.REFUSED_STREAM),
  );
  const gateway = await gatewayBefore(t, [refusing]);
  const [client] = await start(gateway, 1, POST);
  assert.match((await client?.contains('"stream_refused"')) ?? '', /^HTTP\/1\.1 503 /);
});

test('a backend that is gone without a word is found out by a ping, and what waited is tried elsewhere', async (t) => {
  const clock = new ManualClock();
  const silent = await startFrameBackend(t, () => {});
  const good = await startH2Backend(t, (stream) => say(stream, 'good'));
  const gateway = await gatewayBefore(t, [silent, good], { retry: retryPlan({ on: ['reset'] }) }, { clock });
  const { data } = gateway.gateway;
  const spare = { service: 'web', backend: good.plan.name };
  data.setAdmin(spare, 'disabled');
  const [first] = await start(gateway, 1);
  await silent.until(() => silent.count(TYPE.HEADERS) === 1);
  const [connection] = silent.connections;
  assert.ok(connection !== undefined);
  connection.answersPing = false;
  data.setAdmin(spare, 'enabled');
  clock.advance(10_200);
  await silent.until(() => silent.count(TYPE.PING) === 1);
  assert.equal(connection.closed, false);
  clock.advance(5_200);
  assert.match((await first?.contains('0\r\n\r\n')) ?? '', /good/);
  await silent.until(() => connection.closed);
  assert.equal(gateway.backends[0]?.agent.counters.closed.get('dead'), 1);
});

test('a backend that only takes its time answers the ping, and is asked no more often than gRPC servers bear', async (t) => {
  const clock = new ManualClock();
  const slow = await startFrameBackend(t, () => {});
  const timeouts = {
    connectMs: 2_000,
    headMs: 1_200_000,
    idleMs: 60_000,
    totalMs: 0,
    eventStreamMs: 300_000,
  };
  const gateway = await gatewayBefore(t, [slow], { timeouts }, { clock });
  const [client] = await start(gateway, 1);
  await slow.until(() => slow.count(TYPE.HEADERS) === 1);
  const [connection] = slow.connections;
  clock.advance(10_200);
  await slow.until(() => slow.count(TYPE.PING, 0) === 1);
  // its own ping is answered once ours has been read
  connection?.send(frame(TYPE.PING, 0, 0, Buffer.alloc(8)));
  await slow.until(() => slow.count(TYPE.PING, ACK) === 1);
  clock.advance(280_000);
  assert.equal(slow.count(TYPE.PING, 0), 1);
  clock.advance(21_000);
  await slow.until(() => slow.count(TYPE.PING, 0) === 2);
  connection?.headers(1, OK).data(1, 'late', END_STREAM);
  assert.match((await client?.contains('0\r\n\r\n')) ?? '', /late/);
});

test('requests that their clients give up leave nothing behind, and end nobody else’s', async (t) => {
  const held = new Set<ServerHttp2Stream>();
  let patient: ServerHttp2Stream | undefined;
  const backend = await startH2Backend(t, (stream, headers) => {
    if (headers[':path'] === '/patient') patient = stream;
    else {
      held.add(stream);
      stream.on('close', () => held.delete(stream));
    }
  });
  const gateway = await gatewayBefore(t, [backend]);
  const bystander = await nodeClient(t, gateway.port);
  const answer = ask(bystander, { ':path': '/patient' });
  await eventually(() => patient !== undefined);
  // node:http2 ends a session on which more than a thousand are reset at once
  for (let round = 0; round < 24; round++) {
    // who resets more than that on one connection is thrown out
    const session = await nodeClient(t, gateway.port);
    const streams = Array.from({ length: 50 }, () => session.request({ ':path': '/' }));
    await eventually(() => held.size === 50);
    for (const stream of streams) stream.close(ERROR.CANCEL);
    await eventually(() => held.size === 0);
    session.destroy();
  }
  if (patient !== undefined) say(patient, 'at last');
  assert.equal((await answer).body.toString(), 'at last');
  bystander.destroy();
  await allQuiet(gateway);
  const { agent, counters, pending } = only(gateway);
  assert.equal(backend.requests, 1_201);
  assert.deepEqual([...agent.counters.closed], [['resets', 6]]);
  assert.equal(backend.sessions.length, 6);
  assert.equal(pending, 0);
  assert.equal(counters.byKind.get('client_left 0'), 1_200);
});

test('a backend that allows no streams for now is waited for, and not called again and again', async (t) => {
  const held: ServerHttp2Stream[] = [];
  const backend = await startH2Backend(t, (stream) => void held.push(stream), {
    settings: { maxConcurrentStreams: 0 },
  });
  const gateway = await gatewayBefore(t, [backend]);
  await start(gateway, 3);
  await eventually(() => backend.sessions.length === 1 && only(gateway).agent.stats.queued === 3);
  backend.sessions[0]?.settings({ maxConcurrentStreams: 10 });
  await eventually(() => held.length === 3);
  assert.equal(backend.sessions.length, 1);
});

test('a reload may have a backend speak HTTP/2 from now on, and other settings reach its sessions', async (t) => {
  const held: ServerHttp2Stream[] = [];
  const backend = await startH2Backend(t, (stream, headers) => {
    if (headers[':path'] === '/held') held.push(stream);
    else say(stream, 'x');
  });
  const old = { plan: { ...backend.plan, protocol: 'http' as const } };
  const gateway = await gatewayBefore(t, [old]);
  const { data } = gateway.gateway;
  await data.apply(planBefore([backend]));
  const [slow] = await start(gateway, 1, GET.replace('/', '/held'));
  await eventually(() => held.length === 1);
  const tls = { ca: undefined, serverName: 'other', verify: true };
  await data.apply(planBefore([backend], { tls }));
  const [client] = await start(gateway, 1);
  await client?.contains('0\r\n\r\n');
  assert.equal(backend.sessions.length, 2);
  for (const stream of held) say(stream, 'late');
  await slow?.contains('late');
  await eventually(() => backend.sessions[0]?.destroyed === true);
});
