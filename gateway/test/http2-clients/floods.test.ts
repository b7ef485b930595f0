import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { allQuiet, eventually } from '../relay/gateway-in-test.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { servicePlan } from '../support/plans.ts';
import { RawBackend } from '../support/raw-backend.ts';
import { answer } from '../support/stage.ts';
import {
  END_HEADERS,
  END_STREAM,
  ERROR,
  FrameClient,
  frame,
  hpack,
  request,
  TYPE,
  uint32,
} from './frames.ts';
import { frameStage, http2Gateway } from './http2-stage.ts';

const { ENHANCE_YOUR_CALM } = ERROR;

/** Floods that node:http2 tells us of, and those it stops itself: each ends the connection at once. */
const TOLD: readonly (readonly [what: string, flood: (client: FrameClient) => unknown])[] = [
  [
    'streams opened and reset at once (CVE-2023-44487)',
    (client) => {
      for (let n = 0; n < 1_200; n++) client.headers(2 * n + 1, request()).reset(2 * n + 1);
    },
  ],
  [
    'streams that the server is made to reset (CVE-2025-8671)',
    (client) => {
      for (let n = 0; n < 1_200; n++) {
        client.headers(2 * n + 1, request({ ':method': 'POST' }, [['content-length', '9']]), END_HEADERS);
        client.data(2 * n + 1, 'less', END_STREAM);
      }
    },
  ],
  [
    'PING (CVE-2019-9512)',
    async (client) => {
      const pings = Buffer.concat(Array.from({ length: 500 }, () => frame(TYPE.PING, 0, 0, Buffer.alloc(8))));
      for (let n = 0; n < 14 && !client.closed; n++)
        await client
          .send(pings)
          .ping()
          .catch(() => {});
    },
  ],
  [
    'SETTINGS (CVE-2019-9515)',
    (client) =>
      client.send(...Array.from({ length: 200 }, () => frame(TYPE.SETTINGS, 0, 0, setting(4, 65_535)))),
  ],
  [
    'one SETTINGS with very many entries',
    (client) =>
      client.send(frame(TYPE.SETTINGS, 0, 0, Buffer.concat(Array.from({ length: 40 }, () => setting(4, 1))))),
  ],
  [
    'CONTINUATION without end (CVE-2024-27316)',
    (client) => {
      client.headers(1, request(), 0);
      for (let n = 0; n < 500; n++)
        client.send(frame(TYPE.CONTINUATION, 0, 1, hpack([[`x-${n}`, 'v'.repeat(100)]])));
    },
  ],
];

for (const [what, flood] of TOLD) {
  test(`a flood of ${what} ends its connection`, async (t) => {
    const { gateway, client } = await frameStage(t, RawBackend.start());
    await flood(client);
    assert.equal((await client.goaway()).code, ENHANCE_YOUR_CALM);
    if (!client.closed) await once(client.socket, 'close');
    await allQuiet(gateway);
  });
}

/** Floods that nothing tells of: they are seen by bytes that were of no use. */
const SILENT: readonly (readonly [what: string, frames: Buffer])[] = [
  ['WINDOW_UPDATE', frame(TYPE.WINDOW_UPDATE, 0, 0, uint32(1))],
  ['PRIORITY (CVE-2019-9513)', frame(TYPE.PRIORITY, 0, 1, Buffer.from([0, 0, 0, 0, 10]))],
  ['DATA with nothing in it (CVE-2019-9518)', frame(TYPE.DATA, 0, 1)],
  [
    'DATA that is all padding',
    frame(TYPE.DATA, 8, 1, Buffer.concat([Buffer.from([250]), Buffer.alloc(250)])),
  ],
  ['frames of an unknown type', frame(0xbb, 0, 0, Buffer.alloc(100))],
];

for (const [what, bytes] of SILENT) {
  test(`a flood of ${what} ends its connection`, async (t) => {
    const clock = new ManualClock();
    const { backend, gateway, client } = await frameStage(t, RawBackend.start(), {}, { clock });
    client.headers(1, request({ ':method': 'POST' }), END_HEADERS);
    await backend.until(({ received }) => received.includes('\r\n\r\n'));
    const many = Math.ceil(400_000 / bytes.length);
    client.send(...Array.from({ length: many }, () => bytes), frame(TYPE.PING, 0, 0, Buffer.alloc(8)));
    await client.until(({ type, flags }) => type === TYPE.GOAWAY || (type === TYPE.PING && flags === 1));
    clock.advance(2_000);
    assert.equal((await client.goaway()).code, ENHANCE_YOUR_CALM);
    if (!client.closed) await once(client.socket, 'close');
    await allQuiet(gateway);
  });
}

test('more streams at once than there may be are refused, and those there are go on', async (t) => {
  const { backend, client } = await frameStage(t, RawBackend.start(), {
    listener: { http2: { maxStreams: 4, initialWindowBytes: 65_535 } },
  });
  for (let n = 0; n < 5; n++) client.headers(2 * n + 1, request());
  assert.equal(await client.ended(9), ERROR.REFUSED_STREAM);
  await backend.until(({ connections }) => connections.length === 4);
  for (const { socket } of backend.connections)
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  for (const stream of [1, 3, 5, 7]) assert.equal(await client.ended(stream), 'end');
});

test('a header list that grows out of a few bytes is cut off', async (t) => {
  const { backend, client } = await frameStage(t, RawBackend.start());
  // the value is put into the dynamic table once, and then named by one byte each time
  const value = 'v'.repeat(120);
  const indexed = Buffer.concat([
    hpack(request()),
    Buffer.from([0x40, 1, 0x78, value.length]),
    Buffer.from(value),
    Buffer.alloc(2_000, 0x80 | 62),
  ]);
  client.send(frame(TYPE.HEADERS, END_HEADERS | END_STREAM, 1, indexed));
  assert.equal(await client.ended(1), ENHANCE_YOUR_CALM);
  assert.equal(backend.received, '');
});

test('streams that come and go in their turn are no flood', async (t) => {
  const { gateway, client } = await frameStage(t, RawBackend.start(answer()));
  for (let n = 0; n < 600; n++) {
    const stream = 4 * n + 1;
    client.headers(stream, request()).headers(stream + 2, request());
    await client.ended(stream);
    client.reset(stream + 2);
  }
  client.headers(9_001, request());
  assert.equal(await client.ended(9_001), 'end');
  client.socket.end();
  await allQuiet(gateway);
  await eventually(() => gateway.ended.length === 1_201);
});

for (const [what, length] of [
  ['wait for a backend', '40000'],
  ['are refused', '300000'],
] as const) {
  test(`bodies that ${what} are no flood`, async (t) => {
    const backend = await RawBackend.start();
    t.after(() => backend.stop());
    const clock = new ManualClock();
    const { pool } = servicePlan([]);
    const changes = {
      service: { pool: { ...pool, maxConnections: 1, queueTimeoutMs: 60_000 } },
      route: { maxBodyBytes: 200_000 },
    };
    const gateway = await http2Gateway(t, [backend.port], changes, { clock });
    const client = await FrameClient.open(t, gateway.port);
    for (let n = 0; n < 30; n++) {
      client.headers(2 * n + 1, request({ ':method': 'POST' }, [['content-length', length]]), END_HEADERS);
      client.data(2 * n + 1, 'u'.repeat(16_000)).data(2 * n + 1, 'u'.repeat(16_000));
      await client.ping();
    }
    clock.advance(1_200);
    await client.ping();
    assert.equal(
      client.frames.some(({ type }) => type === TYPE.GOAWAY),
      false,
    );
  });
}

function setting(id: number, value: number): Buffer {
  const bytes = Buffer.alloc(6);
  bytes.writeUInt16BE(id, 0);
  bytes.writeUInt32BE(value, 2);
  return bytes;
}
