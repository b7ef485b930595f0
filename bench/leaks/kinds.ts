import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';

/** Where a gateway listens, and for what. */
export interface Doors {
  readonly http: number;
  readonly tls: number;
  readonly tcp: number;
  readonly udp: number;
  readonly proxy: number;
  /** Of the TCP echo that the forward proxy may reach. */
  readonly echo: number;
}

/** One way in which clients and backends leave a connection lying about. */
export interface Kind {
  readonly name: string;
  /** Does it once; resolves when the client's side is over. */
  once(doors: Doors): Promise<void>;
}

const GIVE_UP_MS = 10_000;

function open(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.setTimeout(GIVE_UP_MS, () => socket.destroy(new Error(`nothing happened for ${GIVE_UP_MS} ms`)));
  return once(socket, 'connect').then(() => socket.on('error', () => {}));
}

async function answerOf(socket: Socket): Promise<string> {
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  return bytes.toString('latin1');
}

function reset(socket: Socket): Promise<void> {
  const closed = once(socket, 'close');
  socket.resetAndDestroy();
  return closed.then(() => undefined);
}

async function closed(socket: Socket): Promise<void> {
  socket.resume();
  if (!socket.closed) await once(socket, 'close');
}

const upgrade = (path: string): string =>
  `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`;

/** The head of a masked frame of 125 bytes, and a few of them. */
const HALF_A_FRAME = Buffer.from([0x82, 0x80 | 125, 1, 2, 3, 4, 5, 6, 7]);
/** A handshake record whose hello never comes. */
const HALF_A_HELLO = Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01]);

export const KINDS: readonly Kind[] = [
  {
    name: 'upgrade: the client resets before the answer',
    async once({ http }) {
      const socket = await open(http);
      socket.write(upgrade('/ws/silent'));
      await new Promise((resolve) => setTimeout(resolve, 5));
      await reset(socket);
    },
  },
  {
    name: 'upgrade: the backend refuses',
    async once({ http }) {
      const socket = await open(http);
      socket.write(upgrade('/ws/refused'));
      expect(await answerOf(socket), 'HTTP/1.1 403');
      await reset(socket);
    },
  },
  {
    name: 'upgrade: the backend resets',
    async once({ http }) {
      const socket = await open(http);
      socket.write(upgrade('/ws/reset'));
      expect(await answerOf(socket), 'HTTP/1.1 50');
      await reset(socket);
    },
  },
  {
    name: 'websocket: reset in the middle of a frame',
    async once({ http }) {
      const socket = await open(http);
      socket.write(upgrade('/ws/open'));
      expect(await answerOf(socket), 'HTTP/1.1 101');
      socket.write(HALF_A_FRAME);
      await reset(socket);
    },
  },
  {
    name: 'websocket: closed by halves',
    async once({ http }) {
      const socket = await open(http);
      socket.write(upgrade('/ws/open'));
      expect(await answerOf(socket), 'HTTP/1.1 101');
      socket.end();
      await closed(socket);
    },
  },
  {
    name: 'event stream: the client leaves',
    async once({ http }) {
      const socket = await open(http);
      socket.write('GET /events HTTP/1.1\r\nHost: a\r\n\r\n');
      expect(await answerOf(socket), 'HTTP/1.1 200');
      await reset(socket);
    },
  },
  {
    name: 'TLS: reset in the middle of a hello',
    async once({ tls }) {
      const socket = await open(tls);
      socket.write(HALF_A_HELLO);
      await reset(socket);
    },
  },
  {
    name: 'TLS: something else than a hello',
    async once({ tls }) {
      const socket = await open(tls);
      socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await closed(socket);
    },
  },
  {
    name: 'HTTP/2: streams that are reset',
    async once({ tls }) {
      const session = connectHttp2(`https://127.0.0.1:${tls}`, { rejectUnauthorized: false });
      session.on('error', () => {});
      const stream = session.request({ ':path': '/events' });
      stream.on('error', () => {});
      await once(stream, 'data');
      stream.close(8);
      if (!stream.closed) await once(stream, 'close');
      session.destroy();
      if (!session.closed) await once(session, 'close');
    },
  },
  {
    name: 'CONNECT: reset once it is open',
    async once({ proxy, echo }) {
      const socket = await open(proxy);
      socket.write(`CONNECT 127.0.0.1:${echo} HTTP/1.1\r\nHost: 127.0.0.1:${echo}\r\n\r\n`);
      expect(await answerOf(socket), 'HTTP/1.1 200');
      socket.write('x');
      await reset(socket);
    },
  },
  {
    name: 'CONNECT: to where it may not',
    async once({ proxy }) {
      const socket = await open(proxy);
      socket.write('CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n');
      expect(await answerOf(socket), 'HTTP/1.1 403');
      await closed(socket);
    },
  },
  {
    name: 'TCP: reset with bytes under way',
    async once({ tcp }) {
      const socket = await open(tcp);
      socket.write(Buffer.alloc(4096));
      await answerOf(socket);
      await reset(socket);
    },
  },
  {
    name: 'UDP: a client for every datagram',
    async once({ udp }) {
      const socket = createSocket('udp4');
      socket.on('error', () => {});
      const answer = once(socket, 'message');
      socket.send('hello', udp, '127.0.0.1');
      await answer;
      const gone = once(socket, 'close');
      socket.close();
      await gone;
    },
  },
];

function expect(answer: string, start: string): void {
  if (!answer.startsWith(start)) throw new Error(`expected ${start}, got ${answer.slice(0, 60)}`);
}
