import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttp2Server, type ServerHttp2Stream } from 'node:http2';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { mutate } from '../fuzz/mutate.ts';
import type { Random } from '../fuzz/random.ts';
import { END_HEADERS, END_STREAM, frame, hpack, TYPE, uint32 } from '../http2-clients/frames.ts';
import { UdpBackend } from '../udp/udp-stage.ts';
import { fromServer, SWITCH } from '../websocket/frames.ts';
import { deliver } from './deliver.ts';

export interface ChaosBackends {
  /** `ok` to every request, in HTTP/1.1 and in HTTP/2; upgraded connections answer PONG. */
  readonly web: number;
  readonly web2: number;
  readonly echo: number;
  readonly udp: number;
  /** Answers that were valid once, and connections that break anywhere. */
  readonly broken: number;
  readonly broken2: number;
  readonly brokenTcp: number;
  /** What the good backend of HTTP/1.1 could not read: the gateway has sent no request. */
  readonly unreadable: readonly string[];
}

/** The gateway leaves when its client does; and not every token is a method to node:http. */
const FAULTLESS: ReadonlySet<string> = new Set(['HPE_INVALID_EOF_STATE', 'HPE_INVALID_METHOD']);

/** What upgraded connections answer whatever they are sent. */
export const PONG = fromServer('pong');

/** Starts them all; they end with the test. */
export async function startChaosBackends(t: TestContext, random: Random): Promise<ChaosBackends> {
  const unreadable: string[] = [];
  const web = createHttpServer((request, response) => {
    request.on('error', () => {});
    request.resume().on('end', () => response.end('ok'));
  });
  web.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code?.startsWith('HPE_') === true && !FAULTLESS.has(error.code))
      unreadable.push(`${error.code} ${(error as { rawPacket?: Buffer }).rawPacket?.toString('latin1')}`);
    socket.destroy();
  });
  web.on('upgrade', (_request, socket) => {
    socket.on('error', () => {});
    socket.write(SWITCH, 'latin1');
    socket.on('data', () => socket.write(PONG, 'latin1'));
    socket.on('end', () => socket.end());
  });
  const web2 = createHttp2Server({ settings: { enableConnectProtocol: true } });
  web2.on('stream', (stream: ServerHttp2Stream) => {
    stream.on('error', () => {});
    stream.respond({ ':status': 200 });
    stream.resume().on('end', () => {
      if (!stream.destroyed) stream.end('ok');
    });
  });
  web2.on('sessionError', () => {});
  const broken = (answer: (random: Random) => Buffer) =>
    createServer((socket) => {
      socket.once('data', () => deliver(socket, answer(random), random));
      socket.resume();
    });
  return {
    web: await portOf(t, web),
    web2: await portOf(t, web2),
    echo: await portOf(
      t,
      createServer((socket) => socket.pipe(socket)),
    ),
    udp: (await UdpBackend.start(t, (_text, bytes) => [bytes])).port,
    broken: await portOf(t, broken(brokenAnswer)),
    broken2: await portOf(t, broken(brokenFrames)),
    brokenTcp: await portOf(
      t,
      broken(() => Buffer.from('hello\r\n')),
    ),
    unreadable,
  };
}

async function portOf(t: TestContext, server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    socket.on('error', () => {});
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}

const ANSWERS: readonly [string, ...string[]] = [
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x\r\n\r\n5\r\nhello\r\n0\r\nx: y\r\n\r\n',
  'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello',
  'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\nb\r\ndata: one\n\n\r\n',
  'HTTP/1.0 200 OK\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\n\r\nhello',
  'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n',
  'HTTP/1.1 205 Reset Content\r\nContent-Length: 5\r\n\r\nhello',
  `${SWITCH}\x81\x05hello\x88\x02\x03\xe8`,
  `HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n${'x'.repeat(300_000)}`,
];

function brokenAnswer(random: Random): Buffer {
  const text = random.pick(ANSWERS);
  const changed = random.oneIn(3) ? text : mutate(random, text, 0, () => random.pick(ANSWERS));
  return Buffer.from(changed, 'latin1');
}

const STATUS = hpack([
  [':status', '200'],
  ['x', 'y'],
]);
const TRAILERS = hpack([['grpc-status', '0']]);
const FRAMES: readonly [Buffer, ...Buffer[]] = [
  frame(TYPE.SETTINGS, 0, 0),
  frame(TYPE.HEADERS, END_HEADERS, 1, STATUS),
  frame(TYPE.HEADERS, END_HEADERS | END_STREAM, 1, STATUS),
  frame(TYPE.HEADERS, END_HEADERS, 1, hpack([[':status', '103']])),
  frame(TYPE.HEADERS, END_HEADERS | END_STREAM, 1, TRAILERS),
  frame(TYPE.DATA, 0, 1, Buffer.from('hello')),
  frame(TYPE.DATA, END_STREAM, 1, Buffer.alloc(16_384)),
  frame(TYPE.RST_STREAM, 0, 1, uint32(7)),
  frame(TYPE.GOAWAY, 0, 0, uint32(0, 0)),
  frame(TYPE.PING, 0, 0, Buffer.alloc(8)),
  frame(TYPE.SETTINGS, 0, 0, Buffer.from([0, 4, 0, 0, 0, 0])),
  frame(TYPE.SETTINGS, 0, 0, Buffer.from([0, 3, 0, 0, 0, 0])),
  frame(TYPE.WINDOW_UPDATE, 0, 0, uint32(0x7fffffff)),
  // PUSH_PROMISE
  frame(5, END_HEADERS, 1, Buffer.concat([uint32(2), STATUS])),
];

function brokenFrames(random: Random): Buffer {
  const [settings] = FRAMES;
  const frames = [settings];
  for (let i = 1 + random.below(5); i > 0; i--) frames.push(random.pick(FRAMES));
  const bytes = Buffer.concat(frames);
  const at = random.below(bytes.length);
  if (random.oneIn(3)) bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
  return bytes;
}
