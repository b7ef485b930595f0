import { mutate } from '../fuzz/mutate.ts';
import type { Random } from '../fuzz/random.ts';
import { END_HEADERS, END_STREAM, frame, hpack, request, TYPE, uint32 } from '../http2-clients/frames.ts';
import { ASK, fromClient } from '../websocket/frames.ts';

const PATHS: readonly [string, ...string[]] = ['/', '/h2', '/broken', '/broken2'];

/** What clients may begin with, as latin1 text; valid, as a rule. */
type Opening = (random: Random) => string;

const HTTP1: readonly [Opening, ...Opening[]] = [
  (random) => `GET ${random.pick(PATHS)} HTTP/1.1\r\nHost: a\r\n\r\n`.repeat(1 + random.below(3)),
  (random) => `POST ${random.pick(PATHS)} HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello`,
  (random) =>
    `PUT ${random.pick(PATHS)} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nx: y\r\n\r\n`,
  (random) =>
    `POST ${random.pick(PATHS)} HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n${'x'.repeat(300_000)}`,
  (random) => `HEAD ${random.pick(PATHS)} HTTP/1.0\r\n\r\n`,
  (random) =>
    ASK.replace('/chat', random.pick(PATHS)) + fromClient('hello') + fromClient('\x03\xe8', { opcode: 8 }),
  () => 'CONNECT 127.0.0.1:ECHO HTTP/1.1\r\nHost: 127.0.0.1:ECHO\r\n\r\nhello',
  () => 'GET http://127.0.0.1:WEB/ HTTP/1.1\r\nHost: a\r\n\r\n',
  (random) =>
    `POST ${random.pick(PATHS)} HTTP/1.1\r\nHost: a\r\nContent-Type: application/grpc\r\ngrpc-timeout: 99999999H\r\nTE: trailers\r\nContent-Length: 5\r\n\r\n\0\0\0\0\0`,
];

const PREFACE = `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${frame(TYPE.SETTINGS, 0, 0).toString('latin1')}`;

function frames2(random: Random): string {
  let text = PREFACE;
  let stream = 1;
  for (let i = 1 + random.below(6); i > 0; i--) {
    text += random.pick(STREAMS)(random, stream).toString('latin1');
    if (!random.oneIn(3)) stream += 2;
  }
  return text;
}

type StreamFrames = (random: Random, stream: number) => Buffer;

const STREAMS: readonly [StreamFrames, ...StreamFrames[]] = [
  (random, stream) =>
    frame(TYPE.HEADERS, END_HEADERS | END_STREAM, stream, hpack(request({ ':path': random.pick(PATHS) }))),
  (random, stream) =>
    Buffer.concat([
      frame(
        TYPE.HEADERS,
        END_HEADERS,
        stream,
        hpack(request({ ':method': 'POST', ':path': random.pick(PATHS) })),
      ),
      frame(TYPE.DATA, random.oneIn(2) ? END_STREAM : 0, stream, Buffer.alloc(random.below(16_384))),
    ]),
  (random, stream) =>
    Buffer.concat([
      frame(
        TYPE.HEADERS,
        END_HEADERS,
        stream,
        hpack(request({ ':method': 'CONNECT', ':path': random.pick(PATHS) }, [[':protocol', 'websocket']])),
      ),
      frame(TYPE.DATA, 0, stream, Buffer.from(fromClient('hello'), 'latin1')),
    ]),
  (_random, stream) => frame(TYPE.RST_STREAM, 0, stream, uint32(8)),
  (_random, stream) => frame(TYPE.HEADERS, END_HEADERS | END_STREAM, stream, hpack([['x', 'y']])),
  () => frame(TYPE.PING, 0, 0, Buffer.alloc(8)),
  (_random, stream) => frame(TYPE.WINDOW_UPDATE, 0, stream, uint32(1)),
  () => frame(TYPE.SETTINGS, 0, 0, Buffer.from([0, 4, 0, 0, 0, 0])),
  () => frame(TYPE.GOAWAY, 0, 0, uint32(0, 0)),
];

const PROXY: readonly [string, ...string[]] = [
  'PROXY TCP4 192.0.2.1 192.0.2.2 1000 443\r\n',
  'PROXY TCP6 2001:db8::1 2001:db8::2 1000 443\r\n',
  'PROXY UNKNOWN\r\n',
  '\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x7f\0\0\x01\x7f\0\0\x01\0\x01\0\x02',
  '\r\n\r\n\0\r\nQUIT\n\x20\0\0\0',
];

/** Ports that texts may name. */
export interface NamedPorts {
  readonly web: number;
  readonly echo: number;
}

/** What one client sends, changed in a few places as often as not. */
export function clientText(random: Random, ports: NamedPorts, extra: readonly string[]): string {
  const text = plainText(random, extra).replaceAll('ECHO', `${ports.echo}`).replaceAll('WEB', `${ports.web}`);
  return random.oneIn(2) ? text : mutate(random, text, 0, () => plainText(random, extra));
}

function plainText(random: Random, extra: readonly string[]): string {
  const proxied = random.oneIn(3) ? random.pick(PROXY) : '';
  const kind = random.below(5);
  if (kind < 2) return proxied + random.pick(HTTP1)(random);
  if (kind < 4) return proxied + frames2(random);
  return proxied + (extra[random.below(extra.length)] ?? '');
}
