import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { eventually } from '../relay/gateway-in-test.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { type Stage, stage } from '../support/stage.ts';
import {
  ASK,
  CLOSE,
  closePayload,
  codeOf,
  frame,
  fromClient,
  fromServer,
  SWITCH,
} from '../websocket/frames.ts';
import { openPair, type RawSocketPair, tunnelsOf, webSocketStage } from '../websocket/web-socket-stage.ts';

interface DrainStage extends Stage {
  readonly clock: ManualClock;
}

/** A gateway whose time and whose chances a test decides. */
async function drainStage(t: TestContext, random: () => number = () => 0): Promise<DrainStage> {
  const clock = new ManualClock();
  return { ...(await webSocketStage(t, {}, { clock, random })), clock };
}

async function pairs(there: Stage, count: number): Promise<readonly RawSocketPair[]> {
  const open: RawSocketPair[] = [];
  for (let i = 0; i < count; i++) open.push(await openPair(there));
  return open;
}

/** Random numbers that are spread evenly over [0, 1). */
function evenly(): () => number {
  let at = 0;
  return () => {
    at = (at + 0.618_033_988_75) % 1;
    return at;
  };
}

const isTold = (pair: RawSocketPair): boolean => pair.serverFrames().at(-1)?.opcode === CLOSE;

test('a drain says Close 1012 to clients and 1001 to backends, and is over when both have answered', async (t) => {
  const there = await drainStage(t);
  const [pair] = await pairs(there, 1);
  assert.ok(pair);
  const drained = there.gateway.data.drain(20_000);
  there.clock.advance(100);
  await there.backend.until(() => isTold(pair));
  await pair.client.until(() => pair.clientFrames().length === 1);
  const [[toClient], [toServer]] = [pair.clientFrames(), pair.serverFrames()];
  assert.deepEqual([toClient && codeOf(toClient), toClient?.masked], [1012, false]);
  assert.deepEqual([toServer && codeOf(toServer), toServer?.masked], [1001, true]);
  pair.client.send(frame(closePayload(1012), { opcode: CLOSE, masked: true }));
  pair.server.socket.write(frame(closePayload(1001), { opcode: CLOSE, masked: false }), 'latin1');
  await there.backend.until(() => pair.server.ended);
  await pair.client.end();
  pair.server.socket.end();
  await drained;
  assert.deepEqual([...tunnelsOf(there).ended], [['drain', 1]]);
});

test('in the middle of a frame each side is told at its end, and nothing of the next one is passed on', async (t) => {
  const there = await drainStage(t);
  const [pair] = await pairs(there, 1);
  assert.ok(pair);
  const up = fromClient('from the client');
  const down = fromServer('from the backend');
  pair.client.send(up.slice(0, 12));
  pair.server.socket.write(down.slice(0, 9), 'latin1');
  await eventually(() => tunnelsOf(there).bytesIn === 12 && tunnelsOf(there).bytesOut === 9);
  void there.gateway.data.drain(20_000);
  there.clock.advance(1_000);
  assert.deepEqual([...pair.clientFrames(), ...pair.serverFrames()], []);

  pair.client.send(up.slice(12) + fromClient('and more'));
  await there.backend.until(() => isTold(pair));
  assert.deepEqual(
    pair.serverFrames().map(({ opcode, payload }) => [opcode, payload]),
    [
      [1, 'from the client'],
      [CLOSE, closePayload(1001)],
    ],
  );
  assert.deepEqual(pair.clientFrames(), []);
  pair.server.socket.write(`${down.slice(9)}${fromServer('and more')}`, 'latin1');
  await pair.client.until(() => pair.clientFrames().length === 2);
  assert.deepEqual(
    pair.clientFrames().map(({ opcode, payload }) => [opcode, payload]),
    [
      [1, 'from the backend'],
      [CLOSE, closePayload(1012)],
    ],
  );
});

test('a side that has had the other one s Close is not sent a second', async (t) => {
  const there = await drainStage(t);
  const [pair] = await pairs(there, 1);
  assert.ok(pair);
  pair.client.send(frame(closePayload(1000), { opcode: CLOSE, masked: true }));
  await there.backend.until(() => isTold(pair));
  void there.gateway.data.drain(20_000);
  there.clock.advance(100);
  await pair.client.until(() => pair.clientFrames().length === 1);
  pair.server.socket.write(frame(closePayload(1000), { opcode: CLOSE, masked: false }), 'latin1');
  await there.backend.until(() => pair.server.ended);
  assert.equal(pair.serverFrames().length, 1);
  assert.equal(pair.clientFrames().length, 1);
});

test('sides that do not answer have five seconds', async (t) => {
  const there = await drainStage(t);
  const [pair] = await pairs(there, 1);
  assert.ok(pair);
  const drained = there.gateway.data.drain(20_000);
  there.clock.advance(100);
  await there.backend.until(() => isTold(pair));
  there.clock.advance(4_800);
  assert.equal(tunnelsOf(there).open, 1);
  there.clock.advance(400);
  await there.backend.until(() => pair.server.ended);
  await pair.client.end();
  there.clock.advance(1_200);
  await drained;
});

test('closes are spread: 200 WebSockets over five seconds, and a few over hardly more than one', async (t) => {
  for (const [count, overMs] of [
    [200, 5_000],
    [3, 1_060],
  ] as const) {
    await t.test(`${count}`, async (row) => {
      const there = await drainStage(row, evenly());
      const open = await pairs(there, count);
      void there.gateway.data.drain(25_000);
      const told = (): number => open.filter(isTold).length;
      const steps = count > 4 ? 4 : 1;
      for (let step = 1; step < steps; step++) {
        there.clock.advance(overMs / steps);
        const due = (count * step) / steps;
        await there.backend.until(() => told() > due - count * 0.1);
        assert.ok(told() < due + count * 0.1, `${told()} of ${count} at step ${step}`);
      }
      there.clock.advance(overMs / steps + 200);
      await there.backend.until(() => open.every(isTold));
    });
  }
});

test('however many there are, all are told when four fifths of the time are over', async (t) => {
  const there = await drainStage(t, () => 0.999);
  const open = await pairs(there, 50);
  void there.gateway.data.drain(2_000);
  there.clock.advance(1_500);
  assert.equal(open.some(isTold), false);
  there.clock.advance(200);
  await there.backend.until(() => open.every(isTold));
});

test('upgrades whose protocol the gateway does not know are left alone until the end is near, then closed', async (t) => {
  const clock = new ManualClock();
  const switching = SWITCH.replace('websocket', 'other');
  const there = await stage(
    t,
    ({ socket, received }, data) => received === data && socket.write(switching),
    {},
    { clock },
  );
  const client = await there.client();
  await client.send(ASK.replace('websocket', 'other')).contains('101');
  void there.gateway.data.drain(20_000);
  clock.advance(15_000);
  client.send('still heard');
  await there.backend.until(({ received }) => received.endsWith('still heard'));
  clock.advance(3_500);
  await client.end();
  assert.deepEqual([...tunnelsOf(there).ended], [['drain', 1]]);
});

test('no upgrade begins during a drain; one that had been asked for before is told soon after its beginning', async (t) => {
  const clock = new ManualClock();
  const there = await stage(t, undefined, {}, { clock });
  const [early, late] = [await there.client(), await there.client()];
  early.send(ASK);
  await there.backend.until(({ received }) => received.endsWith('\r\n\r\n'));
  // the second connection is in the middle of a request, so that it is not closed
  late.send(ASK.slice(0, 40));
  await eventually(() => there.gateway.data.listeners[0]?.connections === 2);
  void there.gateway.data.drain(20_000);
  late.send(ASK.slice(40));
  assert.match(await late.end(), /^(HTTP\/1\.1 503 [\s\S]*shutting_down[\s\S]*)?$/);
  there.backend.connections[0]?.socket.write(SWITCH, 'latin1');
  await early.contains('101');
  clock.advance(1_200);
  await early.contains('\x88\x02\x03\xf4');
});

test('a drain without tunnels does not wait for any', async (t) => {
  const there = await drainStage(t);
  const [pair] = await pairs(there, 1);
  pair?.client.socket.resetAndDestroy();
  await eventually(() => tunnelsOf(there).open === 0);
  await there.gateway.data.drain(20_000);
});
