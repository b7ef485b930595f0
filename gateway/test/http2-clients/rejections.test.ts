import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../relay/gateway-in-test.ts';
import { RawBackend } from '../support/raw-backend.ts';
import { answer, OK } from '../support/stage.ts';
import { END_HEADERS, END_STREAM, ERROR, type Fields, FrameClient, request, TYPE } from './frames.ts';
import { frameStage, http2Gateway } from './http2-stage.ts';

const { PROTOCOL_ERROR } = ERROR;

/**
 * What each malformed request comes to: the code it is reset with (node:http2 sees to those before we do), or the failure
 * that the answer names. None of them may reach a backend.
 */
const MALFORMED: readonly (readonly [what: string, fields: Fields, expected: number | string])[] = [
  ['no :method', request({ ':method': undefined }), PROTOCOL_ERROR],
  ['no :scheme', request({ ':scheme': undefined }), PROTOCOL_ERROR],
  ['no :path', request({ ':path': undefined }), PROTOCOL_ERROR],
  ['an empty :path', request({ ':path': '' }), PROTOCOL_ERROR],
  ['two :path', request({}, [[':path', '/b']]), PROTOCOL_ERROR],
  ['two :authority', request({}, [[':authority', 'b.example']]), PROTOCOL_ERROR],
  [
    'a pseudo-header field after others',
    [...request({ ':path': undefined }, [['x', '1']]), [':path', '/']],
    PROTOCOL_ERROR,
  ],
  ['an unknown pseudo-header field', request({ ':other': '1' }), PROTOCOL_ERROR],
  [':status in a request', request({ ':status': '200' }), PROTOCOL_ERROR],
  [':protocol without CONNECT', request({ ':protocol': 'websocket' }), PROTOCOL_ERROR],
  ['a :path that is no path', request({ ':path': 'http://b.example/' }), PROTOCOL_ERROR],
  ['a :path without its slash', request({ ':path': 'a' }), PROTOCOL_ERROR],
  ['`*` with GET', request({ ':path': '*' }), PROTOCOL_ERROR],
  ['a space in :path', request({ ':path': '/ HTTP/1.1' }), PROTOCOL_ERROR],
  ['a line end in :path', request({ ':path': '/ HTTP/1.1\r\nx: y' }), PROTOCOL_ERROR],
  ['a backslash in :path', request({ ':path': '/a\\b' }), 'bad_target'],
  ['a fragment in :path', request({ ':path': '/a#b' }), 'bad_target'],
  ['a space in :method', request({ ':method': 'GET /x' }), PROTOCOL_ERROR],
  ['a method that is too long', request({ ':method': 'M'.repeat(40) }), 'bad_method'],
  ['another :scheme', request({ ':scheme': 'ftp' }), 'bad_pseudo_field'],
  ['an empty :authority', request({ ':authority': '' }), PROTOCOL_ERROR],
  ['userinfo in :authority', request({ ':authority': 'u:p@a.example' }), PROTOCOL_ERROR],
  ['a line end in :authority', request({ ':authority': 'a\r\nx: y' }), PROTOCOL_ERROR],
  ['a path in :authority', request({ ':authority': 'a.example/b' }), PROTOCOL_ERROR],
  ['no host at all', request({ ':authority': undefined }), PROTOCOL_ERROR],
  ['Host and :authority that differ', request({}, [['host', 'b.example']]), 'bad_host'],
  [
    'two Host',
    request({ ':authority': undefined }, [
      ['host', 'a'],
      ['host', 'a'],
    ]),
    PROTOCOL_ERROR,
  ],
  ['upper case in a name', request({}, [['X-Upper', '1']]), PROTOCOL_ERROR],
  ['connection', request({}, [['connection', 'close']]), PROTOCOL_ERROR],
  ['keep-alive', request({}, [['keep-alive', 'timeout=5']]), PROTOCOL_ERROR],
  ['proxy-connection', request({}, [['proxy-connection', 'keep-alive']]), PROTOCOL_ERROR],
  ['transfer-encoding', request({}, [['transfer-encoding', 'chunked']]), PROTOCOL_ERROR],
  ['upgrade', request({}, [['upgrade', 'websocket']]), PROTOCOL_ERROR],
  ['TE that is not trailers', request({}, [['te', 'trailers, gzip']]), PROTOCOL_ERROR],
  [
    'two content-length',
    request({}, [
      ['content-length', '0'],
      ['content-length', '0'],
    ]),
    PROTOCOL_ERROR,
  ],
  ['a content-length that is no number', request({}, [['content-length', '+1']]), PROTOCOL_ERROR],
  ['a content-length without a body', request({}, [['content-length', '5']]), PROTOCOL_ERROR],
  ['a target that is too long', request({ ':path': `/${'a'.repeat(9_000)}` }), 'target_too_long'],
  [
    'too many fields',
    request(
      {},
      Array.from({ length: 101 }, (_, n) => [`x-${n}`, 'v'] as const),
    ),
    'too_many_fields',
  ],
  [
    'a head that is too large',
    request(
      {},
      [1, 2, 3].map((n) => [`x-${n}`, 'v'.repeat(6_000)] as const),
    ),
    'head_too_large',
  ],
  ['expectations nobody meets', request({}, [['expect', 'wonders']]), 'bad_expect'],
  [
    'a tunnel that is no WebSocket',
    request({ ':method': 'CONNECT', ':protocol': 'connect-udp' }),
    'unknown_protocol',
  ],
  ['CONNECT with a path', request({ ':method': 'CONNECT' }), PROTOCOL_ERROR],
];

/** Fields that node:http2 leaves out without a word: their request goes on as if they had not been there. */
const LEFT_OUT: readonly (readonly [what: string, name: string, value: string])[] = [
  ['a line end in a value', 'x-bad', 'a\r\nx-smuggled: 1'],
  ['a bare CR in a value', 'x-bad', 'a\rb'],
  ['a bare LF in a value', 'x-bad', 'a\nb'],
  ['NUL in a value', 'x-bad', 'a\0b'],
  ['space before a value', 'x-bad', ' a'],
  ['a tab after a value', 'x-bad', 'a\t'],
  ['a colon in a name', 'x-bad: b', 'a'],
  ['a space in a name', 'x-bad ', 'a'],
  ['a line end in a name', 'x-bad\r\nx-smuggled', 'a'],
  ['no name', '', 'a'],
];

test('malformed requests are refused one by one, and reach no backend', async (t) => {
  const { backend, client } = await frameStage(t, RawBackend.answering(OK));
  let stream = 1;
  for (const [what, fields, expected] of MALFORMED) {
    const before = backend.received;
    client.headers(stream, fields);
    const end = await client.ended(stream);
    const found = end === 'end' ? /"code":"(\w+)"/.exec(client.body(stream))?.[1] : end;
    assert.equal(found, expected, what);
    assert.equal(backend.received, before, what);
    stream += 2;
  }
  // and the connection is none the worse for it
  client.headers(stream, request());
  assert.equal(await client.ended(stream), 'end');
  assert.equal(client.body(stream), 'ok');
});

test('what no field may hold never comes to a backend', async (t) => {
  const { backend, client } = await frameStage(t, RawBackend.answering(OK));
  let stream = 1;
  for (const [what, name, value] of LEFT_OUT) {
    client.headers(stream, request({}, [[name, value]]));
    await client.ended(stream);
    assert.doesNotMatch(backend.received, /x-bad|x-smuggled/, what);
    stream += 2;
  }
});

test('less DATA than content-length breaks the request off, and no backend takes it for complete', async (t) => {
  const { backend, gateway, client } = await frameStage(t, RawBackend.start());
  client.headers(1, request({ ':method': 'POST' }, [['content-length', '9']]), END_HEADERS);
  await backend.until(({ received }) => received.includes('\r\n\r\n'));
  client.data(1, 'ab').data(1, 'cde', END_STREAM);
  assert.equal(await client.ended(1), PROTOCOL_ERROR);
  await backend.until(({ connections }) => connections[0]?.ended === true);
  assert.ok(backend.received.length < backend.received.indexOf('\r\n\r\n') + 4 + 9);
  await eventually(() => gateway.ended.length === 1);
  assert.equal(gateway.ended[0]?.failure, 'client_left');
});

test('more DATA than content-length ends the connection, and the rest reaches no backend', async (t) => {
  const { backend, client } = await frameStage(t, RawBackend.start());
  client.headers(1, request({ ':method': 'POST' }, [['content-length', '3']]), END_HEADERS);
  await backend.until(({ received }) => received.includes('\r\n\r\n'));
  client.data(1, 'ab').data(1, 'cGET /', END_STREAM);
  assert.equal((await client.goaway()).code, PROTOCOL_ERROR);
  await backend.until(({ connections }) => connections[0]?.ended === true);
  assert.doesNotMatch(backend.received, /cGET|GET \//);
});

test('trailers that would frame or route are refused, and the request with them', async (t) => {
  const { backend, client } = await frameStage(t, RawBackend.start());
  let stream = 1;
  for (const name of ['host', 'te', 'expect']) {
    client.headers(stream, request({ ':method': 'POST' }), END_HEADERS).data(stream, 'abc');
    await backend.until(({ received }) => received.endsWith('abc\r\n'));
    client.headers(stream, [[name, 'trailers']]);
    assert.equal(await client.ended(stream), 'end', name);
    assert.match(client.body(stream), /bad_trailer/);
    assert.doesNotMatch(backend.received, /\r\n0\r\n/);
    stream += 2;
  }
});

test('an empty DATA frame does not end a chunked body', async (t) => {
  const backend = await RawBackend.start((connection) => {
    if (connection.received.endsWith('0\r\n\r\n')) connection.socket.write(OK);
  });
  t.after(() => backend.stop());
  const gateway = await http2Gateway(t, [backend.port]);
  const client = await FrameClient.open(t, gateway.port);
  client.headers(1, request({ ':method': 'POST' }), END_HEADERS);
  client.data(1, 'ab').data(1, '').data(1, 'c').data(1, '', END_STREAM);
  assert.equal(await client.ended(1), 'end');
  assert.match(backend.received, /\r\n\r\n(?:3\r\nabc|2\r\nab\r\n1\r\nc)\r\n0\r\n\r\n$/);
});

test('a frame that breaks the protocol ends its connection with GOAWAY and touches no other', async (t) => {
  const backend = await RawBackend.start(answer());
  t.after(() => backend.stop());
  const gateway = await http2Gateway(t, [backend.port]);
  const other = await FrameClient.open(t, gateway.port);
  other.headers(1, request());
  await other.ended(1);
  const broken = await FrameClient.open(t, gateway.port);
  // DATA on a stream that there is not
  broken.send(Buffer.from([0, 0, 1, TYPE.DATA, 0, 0, 0, 0, 5, 0x61]));
  assert.equal((await broken.goaway()).code, PROTOCOL_ERROR);
  other.headers(3, request());
  assert.equal(await other.ended(3), 'end');
});
