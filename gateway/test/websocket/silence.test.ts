import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { WebSocketPlan } from '../../src/data/plan.ts';
import { eventually } from '../relay/gateway-in-test.ts';
import { ManualClock } from '../support/manual-clock.ts';
import type { Stage } from '../support/stage.ts';
import { CLOSE, codeOf, fromClient, fromServer, PING, PONG } from './frames.ts';
import { openPair, type RawSocketPair, tunnelsOf, webSocketStage } from './web-socket-stage.ts';

interface SilenceStage extends Stage {
  readonly clock: ManualClock;
  readonly pair: RawSocketPair;
}

async function silenceStage(t: TestContext, webSocket: Partial<WebSocketPlan>): Promise<SilenceStage> {
  const clock = new ManualClock();
  const route = { webSocket: { maxConnections: 10, idleMs: 60_000, pingMs: 0, ...webSocket } };
  const there = await webSocketStage(t, { route }, { clock });
  return { ...there, clock, pair: await openPair(there) };
}

/** Something from the client reaches the backend, or the other way round. */
async function talk({ backend, pair }: SilenceStage, from: 'client' | 'backend'): Promise<void> {
  const before = { client: pair.clientFrames().length, server: pair.serverFrames().length };
  if (from === 'client') {
    pair.client.send(fromClient('x'));
    await backend.until(() => pair.serverFrames().length > before.server);
  } else {
    pair.server.socket.write(fromServer('x'), 'latin1');
    await pair.client.until(() => pair.clientFrames().length > before.client);
  }
}

test('a WebSocket on which neither side says anything is closed after its idle time, with Close 1001', async (t) => {
  const there = await silenceStage(t, {});
  const { clock, pair, backend } = there;
  for (const from of ['client', 'backend', 'client'] as const) {
    clock.advance(40_000);
    await talk(there, from);
  }
  clock.advance(59_800);
  assert.equal(tunnelsOf(there).open, 1);
  clock.advance(400);
  await backend.until(() => pair.serverFrames().at(-1)?.opcode === CLOSE);
  await pair.client.until(() => pair.clientFrames().at(-1)?.opcode === CLOSE);
  for (const frames of [pair.clientFrames(), pair.serverFrames()])
    assert.equal(codeOf(frames.at(-1) ?? assert.fail()), 1001);
  // neither answers: after the time for that, TCP ends
  clock.advance(5_200);
  await backend.until(() => pair.server.ended);
  await pair.client.end();
  assert.deepEqual([...tunnelsOf(there).ended], [['idle', 1]]);
});

test('both sides are pinged when nothing happens, and one that answers stays', async (t) => {
  const there = await silenceStage(t, { pingMs: 10_000 });
  const { clock, pair, backend } = there;
  for (let turn = 1; turn <= 8; turn++) {
    clock.advance(10_200);
    await pair.client.until(
      () => pair.clientFrames().filter(({ opcode }) => opcode === PING).length === turn,
    );
    await backend.until(() => pair.serverFrames().filter(({ opcode }) => opcode === PING).length === turn);
    const answers = pair.serverFrames().filter(({ opcode }) => opcode === PONG).length;
    pair.client.send(fromClient('', { opcode: PONG }));
    pair.server.socket.write(fromServer('', { opcode: PONG }), 'latin1');
    await backend.until(() => pair.serverFrames().filter(({ opcode }) => opcode === PONG).length > answers);
    await pair.client.until(
      () => pair.clientFrames().filter(({ opcode }) => opcode === PONG).length === answers + 1,
    );
  }
  const ping = pair.serverFrames().find(({ opcode }) => opcode === PING);
  assert.deepEqual(ping, { opcode: PING, masked: true, payload: '' });
  assert.equal(tunnelsOf(there).open, 1);
});

test('no Ping goes to sides that have something to say', async (t) => {
  const there = await silenceStage(t, { pingMs: 10_000 });
  for (let turn = 0; turn < 10; turn++) {
    there.clock.advance(5_000);
    await talk(there, turn % 2 === 0 ? 'client' : 'backend');
  }
  const all = [...there.pair.clientFrames(), ...there.pair.serverFrames()];
  assert.equal(
    all.some(({ opcode }) => opcode === PING),
    false,
  );
});

test('a side that sends nothing at all until the next Ping is given up, and the other told', async (t) => {
  for (const silent of ['client', 'backend'] as const) {
    await t.test(silent, async (row) => {
      const there = await silenceStage(row, { pingMs: 10_000 });
      const { clock, pair, backend } = there;
      clock.advance(10_200);
      await backend.until(() => pair.serverFrames().length === 1);
      await pair.client.until(() => pair.clientFrames().length === 1);
      const { bytesIn, bytesOut } = tunnelsOf(there);
      // anything will do
      if (silent === 'backend') pair.client.send(fromClient('alive'));
      else pair.server.socket.write(fromServer('alive'), 'latin1');
      await eventually(() => tunnelsOf(there).bytesIn + tunnelsOf(there).bytesOut > bytesIn + bytesOut);
      clock.advance(10_200);
      await backend.until(() => pair.serverFrames().at(-1)?.opcode === CLOSE);
      await pair.client.until(() => pair.clientFrames().at(-1)?.opcode === CLOSE);
      clock.advance(5_200);
      await eventually(() => tunnelsOf(there).ended.get('silent') === 1);
      clock.advance(1_200);
      await eventually(() => there.gateway.data.listeners[0]?.connections === 0);
    });
  }
});

test('no Ping goes into the middle of a frame', async (t) => {
  const there = await silenceStage(t, { pingMs: 10_000, idleMs: 35_000 });
  const { clock, pair, backend } = there;
  const before = pair.client.received.length;
  pair.server.socket.write(fromServer('0123456789').slice(0, 8), 'latin1');
  await pair.client.contains('012345');
  clock.advance(10_200);
  await backend.until(() => pair.serverFrames().length === 1);
  pair.server.socket.write(fromServer('', { opcode: PONG }).slice(0, 1), 'latin1');
  await eventually(() => tunnelsOf(there).bytesOut > 8);
  clock.advance(9_000);
  assert.equal(pair.client.received.length, before + 9);
  assert.equal(tunnelsOf(there).open, 1);
});

test('where both have said Close, TCP may stay open for ten seconds and no longer', async (t) => {
  const there = await silenceStage(t, {});
  const { clock, pair } = there;
  pair.client.send(fromClient('\x03\xe8', { opcode: CLOSE }));
  await there.backend.until(() => pair.serverFrames().length === 1);
  pair.server.socket.write(fromServer('\x03\xe8', { opcode: CLOSE }), 'latin1');
  await pair.client.until(() => pair.clientFrames().length === 1);
  clock.advance(9_800);
  assert.equal(tunnelsOf(there).open, 1);
  clock.advance(400);
  await pair.client.end();
  assert.deepEqual([...tunnelsOf(there).ended], [['client', 1]]);
});

test('FIN without Close goes to the other side, which has ten seconds of silence left', async (t) => {
  for (const first of ['client', 'backend'] as const) {
    await t.test(first, async (row) => {
      const there = await silenceStage(row, {});
      const { clock, pair, backend } = there;
      if (first === 'client') {
        pair.client.socket.end();
        await backend.until(() => pair.server.ended);
      } else {
        pair.server.socket.end();
        if (!pair.client.ended) await new Promise((resolve) => pair.client.socket.once('end', resolve));
      }
      const other = first === 'client' ? 'backend' : 'client';
      clock.advance(9_000);
      await talk(there, other);
      clock.advance(9_000);
      assert.equal(tunnelsOf(there).open, 1);
      clock.advance(1_200);
      await eventually(() => tunnelsOf(there).open === 0);
      assert.deepEqual([...tunnelsOf(there).ended], [[first, 1]]);
    });
  }
});
