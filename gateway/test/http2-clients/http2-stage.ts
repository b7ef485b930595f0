import { once } from 'node:events';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type SecureClientSessionOptions,
} from 'node:http2';
import type { TestContext } from 'node:test';
import type { Plan } from '../../src/data/plan.ts';
import type { GatewayOptions } from '../../src/gateway.ts';
import { type GatewayInTest, startGateway } from '../relay/gateway-in-test.ts';
import { plan } from '../support/plans.ts';
import type { RawBackend } from '../support/raw-backend.ts';
import type { PlanChanges } from '../support/stage.ts';
import { FrameClient } from './frames.ts';

export const HTTP2 = { maxStreams: 128, initialWindowBytes: 256 * 1024 };

/** A plan that speaks HTTP/2, in the clear unless `changes` say otherwise. */
function http2Plan(ports: readonly number[], changes: PlanChanges = {}): Plan {
  return plan(ports, { ...changes, listener: { http2: HTTP2, ...changes.listener } });
}

/** A gateway that speaks HTTP/2 before backends on `ports`; it ends with the test. */
export function http2Gateway(
  t: TestContext,
  ports: readonly number[],
  changes: PlanChanges = {},
  options: GatewayOptions = {},
): Promise<GatewayInTest> {
  return startGateway(t, http2Plan(ports, changes), options);
}

export interface FrameStage {
  readonly backend: RawBackend;
  readonly gateway: GatewayInTest;
  readonly client: FrameClient;
}

/** A client of frames, a gateway that speaks HTTP/2 and a backend; they end with the test. */
export async function frameStage(
  t: TestContext,
  starting: Promise<RawBackend>,
  changes: PlanChanges = {},
  options: GatewayOptions = {},
): Promise<FrameStage> {
  const backend = await starting;
  t.after(() => backend.stop());
  const gateway = await http2Gateway(t, [backend.port], changes, options);
  return { backend, gateway, client: await FrameClient.open(t, gateway.port) };
}

/** Node's own client, which ends with the test. */
export async function nodeClient(
  t: TestContext,
  port: number,
  options: SecureClientSessionOptions = {},
): Promise<ClientHttp2Session> {
  const scheme = options.ca === undefined ? 'http' : 'https';
  const session = connect(`${scheme}://127.0.0.1:${port}`, options);
  session.on('error', () => {});
  t.after(() => session.destroy());
  await once(session, 'remoteSettings');
  return session;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly trailers: IncomingHttpHeaders | undefined;
}

/** Reads the answer of a request that has been sent. */
export async function answerOf(stream: ClientHttp2Stream): Promise<Answer> {
  let headers: IncomingHttpHeaders = {};
  let trailers: IncomingHttpHeaders | undefined;
  const parts: Buffer[] = [];
  stream.on('response', (fields) => {
    headers = fields;
  });
  stream.on('trailers', (fields) => {
    trailers = fields;
  });
  stream.on('data', (bytes: Buffer) => parts.push(bytes));
  await once(stream, 'close');
  if (stream.rstCode !== 0) throw new Error(`reset with ${stream.rstCode}`);
  return { status: Number(headers[':status']), headers, body: Buffer.concat(parts), trailers };
}

/** Sends a request and reads its answer. */
export function ask(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders = {},
  body?: Buffer | string,
): Promise<Answer> {
  const stream = session.request({ ':path': '/', ...headers }, { endStream: body === undefined });
  const answer = answerOf(stream);
  if (body !== undefined) stream.end(body);
  return answer;
}

/** Asks for a WebSocket (RFC 8441). */
export function extendedConnect(
  session: ClientHttp2Session,
  more: OutgoingHttpHeaders = {},
): ClientHttp2Stream {
  const headers = {
    ':method': 'CONNECT',
    ':protocol': 'websocket',
    ':path': '/chat',
    'sec-websocket-version': '13',
  };
  return session.request({ ...headers, ...more }, { endStream: false });
}
