import assert from 'node:assert/strict';
import { test } from 'node:test';
import { END_HEADERS, FrameClient, frame, request, TYPE } from '../http2-clients/frames.ts';
import { HTTP2, http2Gateway } from '../http2-clients/http2-stage.ts';
import { ManualClock } from '../support/manual-clock.ts';

const NO_WINDOW = Buffer.from([0, 4, 0, 0, 0, 0]);
const FRAME_BYTES = 16 * 1024;
const STREAMS = [1, 3, 5];
const WINDOWS = 6;

test('what still comes of uploads that have been refused is thrown away, and no flood', async (t) => {
  const clock = new ManualClock();
  const { port, gateway } = await http2Gateway(t, [1], { route: { path: '/elsewhere' } }, { clock });
  const { byCode } = gateway.data.counters;
  const client = await FrameClient.open(t, port);
  // it takes no answer yet, and so does not hear that it may stop
  client.send(frame(TYPE.SETTINGS, 0, 0, NO_WINDOW));
  for (const stream of STREAMS) client.headers(stream, request({ ':method': 'POST' }), END_HEADERS);
  for (let window = 0; window < WINDOWS; window++) {
    for (const stream of STREAMS) {
      for (let sent = 0; sent < HTTP2.initialWindowBytes; sent += FRAME_BYTES)
        client.data(stream, 'x'.repeat(FRAME_BYTES));
    }
    await client.ping();
  }
  // by then the connection has been looked at
  clock.advance(2_000);
  await client.ping();
  assert.equal(byCode.get('no_route'), STREAMS.length);
  assert.equal(byCode.get('http2_flood'), undefined);
});
