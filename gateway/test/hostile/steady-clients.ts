import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  type ClientHttp2Session,
  connect as connectHttp2,
  type SecureClientSessionOptions,
} from 'node:http2';
import { connect } from 'node:net';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { connectTo, ESTABLISHED } from '../forward-proxy/proxy-stage.ts';
import { answerOf } from '../http2-clients/http2-stage.ts';
import { RawClient } from '../support/raw-client.ts';
import { UdpClient } from '../udp/udp-stage.ts';
import { ASK, fromClient } from '../websocket/frames.ts';
import { type ChaosBackends, PONG } from './chaos-backends.ts';
import type { ChaosStage } from './chaos-stage.ts';

/** Uses a listener as it is meant to be used, again and again; rejects when that once fails. */
export type SteadyClient = () => Promise<void>;

/** Connections of TCP that they keep. */
export const KEPT_CONNECTIONS = 7;

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
/** A loaded loopback drops a datagram now and then. */
const DATAGRAMS = 5;
const DATAGRAM_MS = 1_000;

/** One for each listener and what is spoken there, connected already; they end with the test. */
export async function steadyClients(
  t: TestContext,
  { ports, ca }: ChaosStage,
  backends: ChaosBackends,
): Promise<Readonly<Record<string, SteadyClient>>> {
  const raw = async (port: number): Promise<RawClient> => {
    const client = await RawClient.open(port);
    t.after(() => client.socket.destroy());
    return client;
  };
  const tls = { ca, servername: 'a.example', host: '127.0.0.1' };
  const session = async (options: SecureClientSessionOptions, authority: string) => {
    const session = connectHttp2(authority, options);
    session.on('error', () => {});
    t.after(() => session.destroy());
    await once(session, 'remoteSettings');
    return session;
  };
  const keepAlive = await raw(ports.clear);
  const onTunnel = await raw(ports.tunnel);
  const tunnel = await raw(ports.tunnel);
  await tunnel.send(connectTo(`127.0.0.1:${backends.echo}`)).contains(ESTABLISHED);
  const webSocket = await raw(ports.clear);
  await webSocket.send(ASK).contains('\r\n\r\n');
  const tcp = await raw(ports.tcp);
  const udp = new UdpClient(t, ports.udp);
  const clear = await session({}, `http://127.0.0.1:${ports.clear}`);
  const secure = await session(tls, `https://127.0.0.1:${ports.tls}`);
  return {
    'HTTP/1.1': () => answers(keepAlive, GET, '\r\n\r\nok'),
    'HTTP/1.1 beside a forward proxy': () => answers(onTunnel, GET, '\r\n\r\nok'),
    'HTTP/1.1 after a PROXY header and a handshake': () => oneRequest(ports.proxied, tls),
    'HTTP/2': () => streams(clear),
    'HTTP/2 over TLS': () => streams(secure),
    'a CONNECT tunnel': () => answers(tunnel, 'ping', 'ping'),
    'a WebSocket': () => answers(webSocket, fromClient('ping'), PONG),
    TCP: () => answers(tcp, 'ping', 'ping'),
    'TCP after a PROXY header': () => oneEcho(ports.sni),
    UDP: () => datagram(udp),
  };
}

async function answers(client: RawClient, ask: string, expected: string): Promise<void> {
  const { socket } = client;
  client.received = '';
  client.send(ask);
  while (!client.received.endsWith(expected) && !client.closed)
    await new Promise<void>((resolve) => {
      const heard = (): void => {
        socket.off('data', heard).off('close', heard);
        resolve();
      };
      socket.on('data', heard).on('close', heard);
    });
  const { received } = client;
  if (ask === GET) assert.match(received, /^HTTP\/1\.1 200 /);
  else assert.equal(received, expected);
}

async function oneRequest(port: number, tls: ConnectionOptions): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.write('PROXY TCP4 192.0.2.1 192.0.2.2 1000 443\r\n');
  const secure = connectTls({ ...tls, socket });
  secure.write(GET);
  let text = '';
  secure.on('data', (bytes) => {
    text += bytes.toString('latin1');
    if (text.endsWith('\r\n\r\nok')) secure.end();
  });
  await once(secure, 'close');
  assert.match(text, /^HTTP\/1\.1 200 [^]*\r\n\r\nok$/);
}

async function oneEcho(port: number): Promise<void> {
  const client = await RawClient.open(port);
  await client.send('PROXY TCP4 192.0.2.1 192.0.2.2 1000 443\r\nping').contains('ping');
  assert.equal(client.received, 'ping');
  client.socket.end();
}

async function streams(session: ClientHttp2Session): Promise<void> {
  assert.equal(session.closed, false);
  for (const path of ['/', '/h2']) {
    const stream = session.request({ ':path': path, ':method': 'POST' });
    const answer = answerOf(stream);
    stream.end('hello');
    const { status, body } = await answer;
    assert.equal(`${status} ${body}`, '200 ok');
  }
}

async function datagram(client: UdpClient): Promise<void> {
  for (let left = DATAGRAMS; left > 0; left--) {
    const lost = delay(DATAGRAM_MS, undefined, { ref: false });
    if ((await Promise.race([client.ask('ping'), lost])) === 'ping') return;
  }
  assert.fail('no datagram came back');
}
