import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RequestHead } from '../../src/data/http1/request-head.ts';
import { ResponseHead } from '../../src/data/http1/response-head.ts';
import { AnswerReader } from '../../src/data/http2/backend-answer.ts';
import { requestFields } from '../../src/data/http2/backend-request.ts';
import { RequestText } from '../../src/data/http2/request-text.ts';
import { fieldsObject, responseFields } from '../../src/data/http2/response-fields.ts';
import { responseHeadText } from '../../src/data/response-headers.ts';
import { knownMethod } from '../fuzz/exceptions.ts';
import { Input } from '../fuzz/input.ts';
import { Llhttp, type LlhttpMessage } from '../fuzz/llhttp.ts';
import { OurRequestReader } from '../fuzz/our-requests.ts';
import { sentHeadFault } from '../fuzz/sent-request.ts';

const RUNS = { numRuns: 3_000 };
const LIMITS = { maxHeadBytes: 16 * 1024, maxTargetBytes: 8 * 1024, maxHeaders: 100 };
const NASTY = ['\r', '\n', '\r\n', '\0', ' ', '\t', ':', ';', ',', '"', '\x7f', '\x80', '\xff', '\r\n\r\n'];
const WORDS = [
  'a',
  'B',
  '-',
  '_',
  '1',
  '/',
  '?',
  '#',
  '\\',
  '%0d%0a',
  'HTTP/1.1',
  'GET / HTTP/1.1',
  '@',
  '|',
];

const text = fc.array(fc.constantFrom(...WORDS, ...NASTY), { maxLength: 5 }).map((pieces) => pieces.join(''));
const tame = fc
  .array(fc.constantFrom('a', 'b', '-', '1', '.', 'c d', '\xe9'), { minLength: 1, maxLength: 4 })
  .map((pieces) => pieces.join(''));
const name = fc.oneof(
  text,
  fc.constantFrom('x', 'x-y', 'cookie', 'host', 'expect', 'te', 'connection', 'upgrade', 'trailer'),
  fc.constantFrom('content-length', 'transfer-encoding', 'content_length', 'x-forwarded-for', 'forwarded'),
  fc.constantFrom('x-forwarded-client-cert', 'x-real-ip', 'keep-alive', 'http2-settings', 'via'),
);
const value = fc.oneof(text, tame, fc.constantFrom('0', '5', 'trailers', 'chunked', 'a', '100-continue', ''));
const fields = fc.array(fc.tuple(name, value), { maxLength: 5 });
const mostly = (usual: readonly string[], otherwise: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...usual) }, otherwise);

/** A head of ours as llhttp has it; fails where that finds more or less than one. */
function readByLlhttp(kind: 'request' | 'response', head: string): LlhttpMessage {
  const input = new Input().set(head);
  const { messages, error } = new Llhttp(kind).read(input.bytes, 0, [], input.end);
  assert.equal(error, undefined, JSON.stringify(head));
  const [message, ...others] = messages;
  assert.equal(others.length, 0, JSON.stringify(head));
  assert.ok(message?.headComplete, JSON.stringify(head));
  return message;
}

/** llhttp does not know every method, which is no fault of the head. */
function withKnownMethod(head: string): string {
  const space = head.indexOf(' ');
  return knownMethod(head.slice(0, space)) + head.slice(space);
}

test('whatever a client sends in HTTP/2 is refused, or becomes one head that all readers read alike', () => {
  let accepted = 0;
  const requests = new OurRequestReader(() => 0.5);
  const pseudo = fc.record({
    ':method': mostly(['GET', 'POST', 'OPTIONS', 'PUT'], text),
    ':scheme': mostly(['http', 'https'], text),
    ':path': mostly(
      ['/', '/a?b', '*', '//a'],
      text.map((rest) => `/${rest}`),
    ),
    ':authority': mostly(['a.example', 'a:80', '[::1]:1'], text),
  });
  const whole = fc.record({ pseudo, fields, complete: fc.boolean(), webSocket: fc.boolean() });
  const property = fc.property(whole, ({ pseudo, fields, complete, webSocket }) => {
    const start = webSocket ? { ...pseudo, ':method': 'CONNECT', ':protocol': 'websocket' } : pseudo;
    const reader = new RequestText(LIMITS);
    const head = new RequestHead(LIMITS);
    const raw = [...Object.entries(start).flat(), ...fields.flat()];
    const key = () => 'AAAAAAAAAAAAAAAAAAAAAA==';
    if (reader.read(raw, complete, head, Buffer.alloc(64 * 1024), key) !== undefined) return;
    accepted += 1;
    const written = head.fields.text;
    if (complete || webSocket) assert.equal(head.bodyLength, 0);
    const read = requests.read(new Input().set(withKnownMethod(written)), false);
    const request = read.requests[0] ?? read.unfinished;
    assert.ok(request !== undefined, JSON.stringify(written));
    const sent = readByLlhttp('request', request.sentHead);
    const received = readByLlhttp('request', withKnownMethod(written));
    assert.equal(sentHeadFault({ ...request, body: sentBody(request) }, received, sent), undefined);
    assert.equal(sent.target, pseudo[':path']);
  });
  fc.assert(property, RUNS);
  assert.ok(accepted > 200, `${accepted} were accepted`);
});

/** As long as the head says: no body came here. */
function sentBody({ sentHead }: { readonly sentHead: string }): string {
  return 'x'.repeat(Number(/\r\ncontent-length: (\d+)\r\n/i.exec(sentHead)?.[1] ?? 0));
}

test('whatever a backend answers in HTTP/2 is refused, or becomes one head that all readers read alike', () => {
  let accepted = 0;
  const whole = fc.record({
    status: mostly(['200', '204', '304', '404', '103'], text),
    fields,
    ended: fc.boolean(),
    toHead: fc.boolean(),
    grpc: fc.boolean(),
    webSocketKey: fc.constantFrom('', 'AAAAAAAAAAAAAAAAAAAAAA=='),
  });
  const property = fc.property(whole, ({ status, fields, ...facts }) => {
    const head = new ResponseHead();
    const failure = new AnswerReader(head).read([':status', status, ...fields.flat()], facts);
    if (failure !== undefined) return;
    accepted += 1;
    const written = head.fields.text;
    const read = readByLlhttp('response', written);
    assert.equal(read.status, head.status);
    const names = Array.from({ length: head.fields.count }, (_, i) => [
      head.fields.name(i),
      head.fields.value(i),
    ]).flat();
    assert.deepEqual(names, read.fields);
    const framing = head.bodyLength === 0 ? 'length' : 'none';
    const sent = `${responseHeadText(head, framing, undefined, '', () => '')}\r\n`;
    assert.equal(readByLlhttp('response', sent).status, head.status);
  });
  fc.assert(property, RUNS);
  assert.ok(accepted > 200, `${accepted} were accepted`);
});

test('whatever a client sends in HTTP/1.1 is refused, or is field for field the same in HTTP/2', () => {
  let accepted = 0;
  const requests = new OurRequestReader(() => 0.5);
  const whole = fc.record({
    method: mostly(['GET', 'POST', 'OPTIONS'], text),
    target: mostly(['/', '/a?b', 'http://b.example/c'], text),
    fields,
  });
  const property = fc.property(whole, ({ method, target, fields }) => {
    const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    const input = new Input().set(`${method} ${target} HTTP/1.1\r\nHost: a.example\r\n${lines}\r\n`);
    const { requests: whole, unfinished } = requests.read(input, false);
    const request = whole[0] ?? unfinished;
    if (request === undefined || request.method === 'CONNECT') return;
    accepted += 1;
    const { fields: sent, chunked } = requestFields(request.sentHead, 'http', 'backend');
    assert.equal(chunked, request.chunked);
    const object = fieldsObject(sent);
    assert.equal(object[':method'], request.method);
    assert.equal(object[':path'], request.sentTarget);
    assert.equal(object[':authority'], request.host);
    // what reads clients' requests as strictly as HTTP/2 wants them finds nothing wrong with it
    const again = new RequestText({ ...LIMITS, maxHeadBytes: 64 * 1024 });
    const head = new RequestHead({ ...LIMITS, maxHeadBytes: 64 * 1024 });
    const failure = again.read(sent, !chunked && request.body === '', head, Buffer.alloc(128 * 1024), String);
    assert.ok(
      failure === undefined || failure === 'bad_content_length',
      `${failure} ${JSON.stringify(sent)}`,
    );
  });
  fc.assert(property, RUNS);
  assert.ok(accepted > 200, `${accepted} were accepted`);
});

test('whatever a backend answers in HTTP/1.1 is refused, or is a head of HTTP/2', () => {
  let accepted = 0;
  const property = fc.property(
    fc.record({ status: mostly(['200', '204', '103'], text), fields }),
    (answer) => {
      const lines = answer.fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
      const input = new Input().set(`HTTP/1.1 ${answer.status} OK\r\n${lines}\r\n`);
      const head = new ResponseHead();
      if (head.parse(input.bytes, 0, input.end) !== undefined) return;
      accepted += 1;
      const sent = responseFields(
        responseHeadText(head, 'none', undefined, '', () => ''),
        `${head.status}`,
      );
      for (let i = 2; i < sent.length; i += 2) {
        assert.match(sent[i] ?? '', /^[!#$%&'*+\-.^_`|~0-9a-z]+$/);
        assert.match(
          sent[i + 1] ?? '',
          /^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$/,
        );
        assert.doesNotMatch(
          sent[i] ?? '',
          /^(?:connection|keep-alive|proxy-connection|transfer-encoding|upgrade|te|http2-settings)$/,
        );
      }
    },
  );
  fc.assert(property, RUNS);
  assert.ok(accepted > 200, `${accepted} were accepted`);
});
