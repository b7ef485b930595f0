import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../relay/gateway-in-test.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { CLOSE, codeOf, frame, fromClient, fromServer, PING, type ReadFrame } from './frames.ts';
import { openPair, tunnelsOf, webSocketStage } from './web-socket-stage.ts';

const opcodes = (frames: readonly ReadFrame[]): readonly number[] => frames.map(({ opcode }) => opcode);

const BROKEN: readonly { readonly name: string; readonly text: (masked: boolean) => string }[] = [
  { name: 'a reserved opcode', text: (masked) => frame('x', { opcode: 3, masked }) },
  { name: 'a fragmented Ping', text: (masked) => frame('x', { opcode: PING, final: false, masked }) },
  { name: 'a Close of 126 bytes', text: (masked) => frame('x'.repeat(126), { opcode: CLOSE, masked }) },
  { name: 'the wrong masking', text: (masked) => frame('x', { masked: !masked }) },
  {
    name: 'a 64-bit length with its top bit',
    text: (masked) => `\x82${masked ? '\xff' : '\x7f'}\xff${'\0'.repeat(11)}`,
  },
];

test('broken frames end that WebSocket with Close 1002 to both sides, and touch no other', async (t) => {
  for (const from of ['client', 'backend'] as const) {
    for (const { name, text } of BROKEN) {
      await t.test(`${name} from the ${from}`, async (row) => {
        const clock = new ManualClock();
        const there = await webSocketStage(row, {}, { clock });
        const [other, pair] = [await openPair(there), await openPair(there)];
        const good = from === 'client' ? fromClient('good') : fromServer('good');
        const bytes = `${good}${text(from === 'client')}and more`;
        if (from === 'client') pair.client.send(bytes);
        else pair.server.socket.write(bytes, 'latin1');
        await there.backend.until(() => pair.serverFrames().at(-1)?.opcode === CLOSE);
        await pair.client.until(() => pair.clientFrames().at(-1)?.opcode === CLOSE);
        // the side that is well need not answer for ever
        clock.advance(5_200);
        await there.backend.until(() => pair.server.ended);
        await pair.client.end();

        const [toClient, toServer] = [pair.clientFrames(), pair.serverFrames()];
        const [bad, well] = from === 'client' ? [toServer, toClient] : [toClient, toServer];
        assert.deepEqual(opcodes(bad), [1, CLOSE]);
        assert.deepEqual(opcodes(well), [CLOSE]);
        for (const closing of [bad[1], well[0]]) assert.equal(closing && codeOf(closing), 1002);
        assert.equal(toServer.at(-1)?.masked, true);
        assert.equal(toClient.at(-1)?.masked, false);
        await eventually(() => tunnelsOf(there).ended.get('protocol') === 1);

        other.client.send(fromClient('still here'));
        await there.backend.until(() => other.serverFrames().length === 1);
        assert.equal(tunnelsOf(there).open, 1);
      });
    }
  }
});

test('broken frames that come with the request for the upgrade end it the same way', async (t) => {
  const clock = new ManualClock();
  const there = await webSocketStage(t, {}, { clock });
  const browser = await there.client();
  const ask = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
  browser.send(`${ask}${frame('x', { masked: false })}`);
  await browser.contains('\x03\xea');
  clock.advance(5_200);
  assert.match(await browser.end(), /\r\n\r\n\x88\x02\x03\xea$/);
  await eventually(() => tunnelsOf(there).ended.get('protocol') === 1);
});

test('a Close of 1002 waits for the end of the frame that the other side is being sent', async (t) => {
  const there = await webSocketStage(t);
  const pair = await openPair(there);
  const long = fromServer('0123456789');
  pair.server.socket.write(long.slice(0, 6), 'latin1');
  await pair.client.contains('0123');
  pair.client.send(frame('x', { masked: false }));
  await there.backend.until(() => pair.serverFrames().length === 1);
  assert.deepEqual(pair.clientFrames(), []);
  pair.server.socket.write(`${long.slice(6)}${fromServer('too late')}`, 'latin1');
  await pair.client.contains('\x88\x02\x03\xea');
  assert.deepEqual(opcodes(pair.clientFrames()), [1, CLOSE]);
});

test('a header that arrives byte by byte is passed on when it is whole', async (t) => {
  const there = await webSocketStage(t);
  const pair = await openPair(there);
  for (const byte of fromClient('x'.repeat(300))) {
    pair.client.send(byte);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await there.backend.until(() => pair.serverFrames().length === 1);
  assert.equal(pair.serverFrames()[0]?.payload, 'x'.repeat(300));
});

test('reserved bits, fragments and whatever is in payloads are left to the ends', async (t) => {
  const there = await webSocketStage(t);
  const pair = await openPair(there);
  const texts = [
    fromClient('\xff\xfe no UTF-8', { reserved: 0x40 }),
    fromClient('a', { opcode: 2, final: false }),
    fromClient('', { opcode: PING }),
    fromClient('b', { opcode: 0 }),
    fromClient('continues nothing', { opcode: 0 }),
  ];
  const before = pair.server.received.length;
  pair.client.send(texts.join(''));
  await there.backend.until(() => pair.serverFrames().length === texts.length);
  assert.equal(pair.server.received.slice(before), texts.join(''));
});
