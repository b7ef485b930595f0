import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Metadata, status } from '@grpc/grpc-js';
import { makeCertificate } from '../agents/certificates.ts';
import { allQuiet, only } from '../relay/gateway-in-test.ts';
import { tlsPlan } from '../tls/tls-stage.ts';
import { ECHO, startEchoServer } from './echo-service.ts';
import { EchoClient, grpcGateway } from './grpc-stage.ts';

test('a unary call, with metadata both ways and trailers', async (t) => {
  let seen: Metadata | undefined;
  const server = await startEchoServer(t, {
    unary: (call, done) => {
      seen = call.metadata;
      const initial = new Metadata();
      initial.set('x-initial', 'one');
      call.sendMetadata(initial);
      const trailing = new Metadata();
      trailing.set('x-trailing', 'two');
      trailing.set('x-bytes-bin', Buffer.of(0, 1, 255));
      done(null, call.request, trailing);
    },
  });
  const gateway = await grpcGateway(t, [server]);
  const metadata = new Metadata();
  metadata.set('x-mine', 'three');
  metadata.set('x-mine-bin', Buffer.of(255, 0));
  const result = await new EchoClient(t, gateway.port).unary(Buffer.from('hello'), {}, metadata);
  assert.equal(result.error, undefined);
  assert.equal(result.message?.toString(), 'hello');
  assert.deepEqual(result.metadata?.get('x-initial'), ['one']);
  assert.deepEqual(result.status.metadata.get('x-trailing'), ['two']);
  assert.deepEqual(result.status.metadata.get('x-bytes-bin'), [Buffer.of(0, 1, 255)]);
  assert.deepEqual(seen?.get('x-mine'), ['three']);
  assert.deepEqual(seen?.get('x-mine-bin'), [Buffer.of(255, 0)]);
  assert.equal(only(gateway).agent.counters.connects, 1);
});

test('errors of a server come with their code and message, at once and after messages', async (t) => {
  const server = await startEchoServer(t, {
    unary: (_call, done) => done({ code: status.NOT_FOUND, details: 'no such thing: 100 %' }),
    serverStream: (call) => {
      call.write(Buffer.from('a'));
      call.emit('error', { code: status.ABORTED, details: 'half way' });
    },
  });
  const gateway = await grpcGateway(t, [server]);
  const echo = new EchoClient(t, gateway.port);
  const { error } = await echo.unary(Buffer.from('x'));
  assert.equal(error?.code, status.NOT_FOUND);
  assert.equal(error?.details, 'no such thing: 100 %');
  const { path, requestSerialize, responseDeserialize } = ECHO.serverStream;
  const call = echo.client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, Buffer.of(1));
  const messages: string[] = [];
  call.on('data', (message: Buffer) => messages.push(message.toString()));
  const [failure] = await once(call, 'error');
  assert.equal(failure.code, status.ABORTED);
  assert.deepEqual(messages, ['a']);
});

test('the server streams', async (t) => {
  const gateway = await grpcGateway(t, [await startEchoServer(t)]);
  const { path, requestSerialize, responseDeserialize } = ECHO.serverStream;
  const { client } = new EchoClient(t, gateway.port);
  const call = client.makeServerStreamRequest(
    path,
    requestSerialize,
    responseDeserialize,
    Buffer.from('abc'),
  );
  const messages: string[] = [];
  call.on('data', (message: Buffer) => messages.push(message.toString()));
  const [ended] = await once(call, 'status');
  assert.equal(ended.code, status.OK);
  assert.deepEqual(messages, ['a', 'b', 'c']);
});

test('the client streams', async (t) => {
  const gateway = await grpcGateway(t, [await startEchoServer(t)]);
  const { path, requestSerialize, responseDeserialize } = ECHO.clientStream;
  const { client } = new EchoClient(t, gateway.port);
  const answer = await new Promise<Buffer | undefined>((resolve, reject) => {
    const call = client.makeClientStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      (error, value) => (error === null ? resolve(value) : reject(error)),
    );
    for (const part of ['a', 'b', 'c']) call.write(Buffer.from(part));
    call.end();
  });
  assert.equal(answer?.toString(), 'abc');
});

test('both sides stream, each message answered before the next is sent', async (t) => {
  const gateway = await grpcGateway(t, [await startEchoServer(t)]);
  const { path, requestSerialize, responseDeserialize } = ECHO.bidi;
  const { client } = new EchoClient(t, gateway.port);
  const call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
  for (const part of ['one', 'two', 'three']) {
    call.write(Buffer.from(part));
    const [answer] = await once(call, 'data');
    assert.equal(answer.toString(), part);
  }
  call.end();
  call.resume();
  const [ended] = await once(call, 'status');
  assert.equal(ended.code, status.OK);
});

test('a message of 8 MiB goes both ways whole', async (t) => {
  const gateway = await grpcGateway(t, [await startEchoServer(t)]);
  const message = Buffer.alloc(8 * 1024 * 1024);
  for (let i = 0; i < message.length; i += 4) message.writeUInt32LE(i, i);
  const result = await new EchoClient(t, gateway.port).unary(message);
  assert.equal(result.error, undefined);
  assert.ok(result.message?.equals(message));
});

test('a call that the client cancels is cancelled at the server', async (t) => {
  const cancelled = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const server = await startEchoServer(t, {
    unary: (call) => {
      call.on('cancelled', () => cancelled.resolve());
      begun.resolve();
    },
  });
  const gateway = await grpcGateway(t, [server]);
  const echo = new EchoClient(t, gateway.port);
  const { path, requestSerialize, responseDeserialize } = ECHO.unary;
  const call = echo.client.makeUnaryRequest(
    path,
    requestSerialize,
    responseDeserialize,
    Buffer.of(1),
    () => {},
  );
  await begun.promise;
  call.cancel();
  await cancelled.promise;
  echo.client.close();
  await allQuiet(gateway);
  assert.deepEqual(
    gateway.ended.map(({ failure }) => failure),
    ['client_left'],
  );
});

test('calls of one client connection are spread over three backends, call by call', async (t) => {
  const servers = await Promise.all([startEchoServer(t), startEchoServer(t), startEchoServer(t)]);
  const gateway = await grpcGateway(t, servers, { balance: { kind: 'round-robin' } });
  const echo = new EchoClient(t, gateway.port);
  for (let i = 0; i < 30; i++) assert.equal((await echo.unary(Buffer.of(i))).error, undefined);
  assert.deepEqual(
    gateway.backends.map(({ counters }) => counters.total),
    [10, 10, 10],
  );
  assert.equal(gateway.gateway.data.listeners[0]?.connections, 1);
});

test('with TLS on both sides of the gateway', async (t) => {
  const certificate = makeCertificate({ names: ['IP:127.0.0.1', 'DNS:localhost'] });
  const { ca, cert, key } = certificate;
  const server = await startEchoServer(t, {}, { certificate });
  const tls = tlsPlan([{ names: ['localhost'], cert, key }]);
  const trusting = { tls: { ca, serverName: undefined, verify: true } };
  const gateway = await grpcGateway(t, [server], trusting, { listener: { tls } });
  const echo = new EchoClient(t, gateway.port, ca);
  for (const text of ['one', 'two']) {
    const { message, error } = await echo.unary(Buffer.from(text));
    assert.equal(error, undefined);
    assert.equal(message?.toString(), text);
  }
});
