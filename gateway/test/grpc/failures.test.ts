import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { type handleUnaryCall, status } from '@grpc/grpc-js';
import { readTimeoutMs } from '../../src/data/grpc/grpc-call.ts';
import { percentEncoded } from '../../src/data/grpc/grpc-refusal.ts';
import { startFrameBackend } from '../http2-backends/frame-backend.ts';
import { startH2Backend } from '../http2-backends/h2-backend.ts';
import { ERROR } from '../http2-clients/frames.ts';
import { answerOf, ask, nodeClient } from '../http2-clients/http2-stage.ts';
import { eventually, only } from '../relay/gateway-in-test.ts';
import { BREAKER, backendPlan, EJECTION, retryPlan } from '../support/plans.ts';
import { RawBackend } from '../support/raw-backend.ts';
import { startEchoServer } from './echo-service.ts';
import { EchoClient, grpcGateway } from './grpc-stage.ts';

const failing =
  (code: status): handleUnaryCall<Buffer, Buffer> =>
  (_call, done) =>
    done({ code, details: 'told to' });
const MESSAGE = Buffer.from('m');

test('a deadline is passed on, and answered with DEADLINE_EXCEEDED where the client waits longer', async (t) => {
  let passedOn: unknown;
  const server = await startH2Backend(t, (_stream, headers) => {
    passedOn = headers['grpc-timeout'];
  });
  const gateway = await grpcGateway(t, [server], { ejection: { ...EJECTION, consecutiveFailures: 1 } });
  const session = await nodeClient(t, gateway.port);
  const headers = { ':method': 'POST', ':path': '/test.Echo/Unary', 'content-type': 'application/grpc' };
  const answer = await ask(
    session,
    { ...headers, te: 'trailers', 'grpc-timeout': '100m' },
    Buffer.of(0, 0, 0, 0, 0),
  );
  assert.equal(answer.status, 200);
  assert.equal(answer.headers['grpc-status'], '4');
  assert.equal(answer.headers['grpc-message'], 'The time that the client gave the call is over');
  assert.equal(passedOn, '100m');
  // whose limit it was is nobody's failure
  assert.equal(gateway.ended[0]?.failure, 'grpc_deadline');
  assert.equal(only(gateway).eligibility.ejection?.active, false);
  assert.equal(only(gateway).counters.byKind.has('grpc_deadline 0'), false);
  await eventually(() => only(gateway).pending === 0);
});

test('what the gateway refuses is told as a status of gRPC, in a head alone', async (t) => {
  const gone = await RawBackend.start();
  const { port } = gone;
  await gone.stop();
  const plan = backendPlan(port, { protocol: 'h2c' });
  const gateway = await grpcGateway(t, [{ plan }]);
  const { error } = await new EchoClient(t, gateway.port).unary(MESSAGE);
  assert.equal(error?.code, status.UNAVAILABLE);
  assert.equal(error?.details, 'The backend refused the connection');
  const session = await nodeClient(t, gateway.port);
  const headers = { ':method': 'POST', ':path': '/a.B/C', 'content-type': 'application/grpc+proto' };
  const answer = await ask(session, headers, '');
  assert.equal(answer.status, 200);
  assert.equal(answer.headers['content-type'], 'application/grpc');
  assert.match(String(answer.headers['proxy-status']), /error=connection_refused/);
  assert.equal(answer.body.length, 0);
  assert.equal(answer.trailers, undefined);
  // others get what they always got
  const plain = await ask(session, {});
  assert.equal(plain.status, 502);
  assert.equal(plain.headers['content-type'], 'application/problem+json');
});

test('where no route is, a call is UNIMPLEMENTED', async (t) => {
  const gateway = await grpcGateway(t, [await startEchoServer(t)], {}, { routes: [] });
  const { error } = await new EchoClient(t, gateway.port).unary(MESSAGE);
  assert.equal(error?.code, status.UNIMPLEMENTED);
});

test('statuses that say that the server failed eject it, alone in a head or after messages', async (t) => {
  const ejection = { ...EJECTION, consecutiveFailures: 3 };
  const cases: readonly [status, boolean][] = [
    [status.UNAVAILABLE, true],
    [status.INTERNAL, true],
    [status.UNKNOWN, true],
    [status.DATA_LOSS, true],
    [status.DEADLINE_EXCEEDED, true],
    [status.UNIMPLEMENTED, false],
    [status.NOT_FOUND, false],
    [status.RESOURCE_EXHAUSTED, false],
  ];
  for (const [code, counts] of cases) {
    for (const withHead of [false, true]) {
      const bad = await startEchoServer(t, {
        unary: (call, done) => {
          if (withHead) call.sendMetadata(call.metadata);
          failing(code)(call, done);
        },
      });
      const spare = await startEchoServer(t);
      const gateway = await grpcGateway(t, [bad, spare], { ejection, balance: { kind: 'round-robin' } });
      const echo = new EchoClient(t, gateway.port);
      for (let i = 0; i < 6; i++) await echo.unary(MESSAGE);
      const active = gateway.backends[0]?.eligibility.ejection?.active;
      assert.equal(active, counts, `${status[code]} ${withHead ? 'in trailers' : 'in the head'}`);
      if (counts)
        assert.match(
          gateway.backends[0]?.eligibility.ejection?.reason ?? '',
          new RegExp(`grpc-status ${code}`),
        );
      echo.client.close();
    }
  }
});

test('the breaker counts what trailers say, one outcome for each call', async (t) => {
  const server = await startEchoServer(t, {
    unary: (call, done) => {
      call.sendMetadata(call.metadata);
      failing(status.INTERNAL)(call, done);
    },
  });
  const breaker = { ...BREAKER, minRequests: 4, failurePercent: 100 };
  const gateway = await grpcGateway(t, [server], { breaker });
  const echo = new EchoClient(t, gateway.port);
  for (let i = 0; i < 3; i++) await echo.unary(MESSAGE);
  assert.equal(only(gateway).eligibility.breaker?.state, 'closed');
  await echo.unary(MESSAGE);
  assert.equal(only(gateway).eligibility.breaker?.state, 'open');
  const { error } = await echo.unary(MESSAGE);
  assert.equal(error?.code, status.UNAVAILABLE);
});

test('a status that the route lists is tried again elsewhere, though calls are POSTs', async (t) => {
  const bad = await startEchoServer(t, { unary: failing(status.UNAVAILABLE) });
  const good = await startEchoServer(t);
  const balance = { kind: 'round-robin' } as const;
  const listed = retryPlan({ on: ['grpc-unavailable'] });
  const gateway = await grpcGateway(t, [bad, good], { retry: listed, balance });
  const echo = new EchoClient(t, gateway.port);
  for (let i = 0; i < 4; i++) {
    const { message, error } = await echo.unary(MESSAGE);
    assert.equal(error, undefined);
    assert.deepEqual(message, MESSAGE);
  }
  assert.equal(gateway.gateway.data.services[0]?.retries.byOutcome.get('grpc-unavailable retried'), 2);
  const unlisted = await grpcGateway(t, [bad, good], { retry: retryPlan(), balance });
  const other = new EchoClient(t, unlisted.port);
  const codes = [await other.unary(MESSAGE), await other.unary(MESSAGE)].map(({ error }) => error?.code);
  assert.deepEqual(codes.sort(), [status.UNAVAILABLE, undefined]);
});

test('RESOURCE_EXHAUSTED may be listed too, and is no failure of the server', async (t) => {
  const bad = await startEchoServer(t, { unary: failing(status.RESOURCE_EXHAUSTED) });
  const good = await startEchoServer(t);
  const retry = retryPlan({ on: ['grpc-resource-exhausted'] });
  const ejection = { ...EJECTION, consecutiveFailures: 1 };
  const gateway = await grpcGateway(t, [bad, good], { retry, ejection, balance: { kind: 'round-robin' } });
  const echo = new EchoClient(t, gateway.port);
  for (let i = 0; i < 4; i++) assert.equal((await echo.unary(MESSAGE)).error, undefined);
  assert.equal(gateway.backends[0]?.eligibility.ejection?.active, false);
});

test('an answer that has begun ends with a status too: the deadline is over, or the server has died', async (t) => {
  const server = await startFrameBackend(t, (connection, stream) => {
    const fields = [
      [':status', '200'],
      ['content-type', 'application/grpc'],
    ] as const;
    connection.headers(stream, fields).data(stream, '\0\0\0\0\x01m');
  });
  const gateway = await grpcGateway(t, [server]);
  const session = await nodeClient(t, gateway.port);
  const headers = {
    ':method': 'POST',
    ':path': '/a.B/C',
    'content-type': 'application/grpc',
    te: 'trailers',
  };
  const late = await ask(session, { ...headers, 'grpc-timeout': '100m' }, '');
  assert.equal(late.body.toString('latin1'), '\0\0\0\0\x01m');
  assert.equal(late.trailers?.['grpc-status'], '4');
  const stream = session.request(headers);
  const dying = answerOf(stream);
  stream.end();
  await once(stream, 'data');
  server.connections[0]?.reset(3, ERROR.INTERNAL_ERROR);
  assert.equal((await dying).trailers?.['grpc-status'], '14');
  assert.deepEqual(
    gateway.ended.map(({ failure }) => failure),
    ['grpc_deadline', 'backend_truncated'],
  );
});

test('timeouts are read by their units, and what is none is left alone', () => {
  const values = [
    '1H',
    '2M',
    '3S',
    '250m',
    '500u',
    '1n',
    '99999999H',
    '',
    '1',
    '1s',
    '123456789m',
    '-1m',
    '1 m',
  ];
  const expected = [3_600_000, 120_000, 3_000, 250, 1, 1, 86_400_000];
  assert.deepEqual(values.map(readTimeoutMs), [...expected, ...Array(6).fill(undefined)]);
});

test('messages are percent-encoded as gRPC has it', () => {
  assert.equal(percentEncoded('100 % ä\n~'), '100 %25 %C3%A4%0A~');
});
