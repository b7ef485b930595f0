import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { Server, ServerCredentials, status, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { checkRequest, readServingStatus } from '../../src/control/health/grpc-health.ts';
import { makeCertificate } from '../agents/certificates.ts';
import { httpProbe, probing } from '../health/probing.ts';
import { say, startH2Backend } from '../http2-backends/h2-backend.ts';
import { RawBackend } from '../support/raw-backend.ts';

const asIs = (message: Buffer): Buffer => message;
const h2c = { backend: { protocol: 'h2c' } } as const;
const SERVING = Buffer.of(0x08, 1);

/** A health service that answers for '' and for 'db', as grpc-health-check does. */
async function healthServer(t: TestContext, statuses: Record<string, Buffer>): Promise<number> {
  const server = new Server();
  const Check = {
    path: '/grpc.health.v1.Health/Check',
    requestStream: false,
    responseStream: false,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  };
  const implementation: UntypedServiceImplementation = {
    Check: (call: { request: Buffer }, done: (error: object | null, answer?: Buffer) => void) => {
      const answer = statuses[call.request.subarray(2).toString()];
      if (answer === undefined) done({ code: status.NOT_FOUND, details: 'unknown service' });
      else done(null, answer);
    },
  };
  server.addService({ Check }, implementation);
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  t.after(() => server.forceShutdown());
  return port;
}

test('a health service is asked, and SERVING alone is good', async (t) => {
  const port = await healthServer(t, { '': SERVING, db: Buffer.of(0x08, 2), new: Buffer.alloc(0) });
  const ask = (service: string): Promise<string> => probing(port, { type: 'grpc', service }, h2c).result;
  assert.equal(await ask(''), 'success: SERVING');
  assert.equal(await ask('db'), 'failure: NOT_SERVING');
  assert.equal(await ask('new'), 'failure: UNKNOWN');
  assert.equal(await ask('other'), 'failure: grpc-status 5 NOT_FOUND: unknown service');
});

test('a server without a health service is not healthy', async (t) => {
  const server = new Server();
  const port = await new Promise<number>((resolve) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (_error, bound) => resolve(bound)),
  );
  t.after(() => server.forceShutdown());
  const { result } = probing(port, { type: 'grpc', service: '' }, h2c);
  assert.match(await result, /^failure: grpc-status 12 UNIMPLEMENTED/);
});

test('a backend that speaks HTTP/1.1, one that hangs, and one that is not there', async (t) => {
  const old = await RawBackend.start((connection) =>
    connection.socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
  );
  const silent = await RawBackend.start();
  t.after(() => Promise.all([old.stop(), silent.stop()]));
  const probe = { type: 'grpc', service: '' } as const;
  assert.equal(await probing(old.port, probe, h2c).result, 'failure: the backend does not speak HTTP/2');
  const hanging = probing(silent.port, probe, h2c);
  await silent.until(({ received }) => received.includes('SM\r\n\r\n'));
  hanging.clock.advance(2_100);
  assert.equal(await hanging.result, 'timeout: no answer within 2s');
  const { port } = silent;
  await silent.stop();
  assert.equal(await probing(port, probe, h2c).result, 'failure: connection refused');
});

test('an http probe asks a backend of HTTP/2 in HTTP/2, with and without TLS', async (t) => {
  const certificate = makeCertificate({ names: ['IP:127.0.0.1'] });
  const seen: (string | undefined)[] = [];
  const answer: Parameters<typeof startH2Backend>[1] = (stream, headers) => {
    seen.push(`${headers[':scheme']} ${headers[':authority']} ${headers[':path']} ${headers['x-one']}`);
    say(stream, 'all is well', headers[':path'] === '/bad' ? 503 : 200);
  };
  const plain = await startH2Backend(t, answer);
  const secure = await startH2Backend(t, answer, { certificate });
  const probe = httpProbe({ body: 'well', headers: { 'X-One': '1' }, host: 'db' });
  assert.equal(await probing(plain.port, probe, h2c).result, 'success: status 200');
  const tls = { backend: { protocol: 'h2' }, tls: { ca: certificate.ca } } as const;
  assert.equal(await probing(secure.port, probe, tls).result, 'success: status 200');
  assert.deepEqual(seen, ['http db /health 1', 'https db /health 1']);
  assert.equal(await probing(plain.port, httpProbe({ path: '/bad' }), h2c).result, 'failure: status 503');
  const lacking = probing(plain.port, httpProbe({ body: 'ill' }), h2c);
  assert.equal(await lacking.result, 'failure: body lacks "ill"');
});

test('messages are written and read as protobuf has them', () => {
  assert.deepEqual([...checkRequest('')], [0, 0, 0, 0, 0]);
  assert.deepEqual([...checkRequest('db')], [0, 0, 0, 0, 4, 0x0a, 2, 0x64, 0x62]);
  const long = checkRequest('x'.repeat(300));
  assert.deepEqual([...long.subarray(0, 8)], [0, 0, 0, 1, 47, 0x0a, 0xac, 0x02]);
  assert.equal(readServingStatus(Buffer.of(0, 0, 0, 0, 2, 8, 1)), 'SERVING');
  assert.equal(readServingStatus(Buffer.of(0, 0, 0, 0, 0)), 'UNKNOWN');
  for (const wrong of [
    [],
    [0, 0, 0, 0, 2, 8],
    [1, 0, 0, 0, 2, 8, 1],
    [0, 0, 0, 0, 2, 8, 9],
    [0, 0, 0, 0, 2, 16, 1],
  ])
    assert.equal(readServingStatus(Buffer.from(wrong)), undefined);
});
