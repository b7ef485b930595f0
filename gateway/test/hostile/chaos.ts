import { createSocket } from 'node:dgram';
import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { Random } from '../fuzz/random.ts';
import { eventually } from '../relay/gateway-in-test.ts';
import { helloOf } from '../tcp/hello-of.ts';
import { startChaosBackends } from './chaos-backends.ts';
import { clientText } from './chaos-openings.ts';
import { type ChaosPorts, chaosStage } from './chaos-stage.ts';
import { deliver } from './deliver.ts';
import { KEPT_CONNECTIONS, steadyClients } from './steady-clients.ts';

const AT_ONCE = 40;

export interface ChaosOutcome {
  /** How often each steady client had its answer. */
  readonly steady: Readonly<Record<string, number>>;
  /** What a good backend could not read. */
  readonly unreadable: readonly string[];
  readonly descriptorsLeft: number;
}

/**
 * Clients that send nearly anything and leave at any moment, `count` of them, on every listener, to good and to broken
 * backends; beside them one steady client of each kind. Rejects when a steady one fails.
 * @param settles whether to wait, for some seconds, until none of their connections is left: never, where one leaks
 */
export async function chaos(
  t: TestContext,
  seed: number,
  count: number,
  settles = false,
): Promise<ChaosOutcome> {
  const random = new Random(seed);
  const backends = await startChaosBackends(t, random);
  const before = descriptors();
  const stage = await chaosStage(t, backends);
  const clients = await steadyClients(t, stage, backends);
  const steady: Record<string, number> = {};
  let over = false;
  const loops = Object.entries(clients).map(async ([name, once]) => {
    steady[name] = 0;
    while (!over) {
      await once().catch((cause) => {
        throw new Error(`${name}, after ${steady[name]} times`, { cause });
      });
      steady[name] = (steady[name] ?? 0) + 1;
    }
  });
  const hello = (await helloOf({ servername: 'broken.example' })).toString('latin1');
  const named = { web: backends.web, echo: backends.echo };
  let left = count;
  const wild = Array.from({ length: AT_ONCE }, async () => {
    while (left-- > 0) await wildClient(random, stage.ports, clientText(random, named, [hello, 'x', '\0']));
  });
  const all = Promise.all([...wild]).then(() => {
    over = true;
  });
  await Promise.all([all, ...loops]);
  const { gateway } = stage;
  const ofTcp = gateway.data.listeners.filter(({ plan }) => plan.kind !== 'udp');
  const connections = () => ofTcp.reduce((sum, listener) => sum + listener.connections, 0);
  if (settles) await eventually(() => connections() <= KEPT_CONNECTIONS);
  gateway.data.destroy();
  await eventually(() => gateway.data.listeners.every(({ connections }) => connections === 0));
  // the steady clients see the end of their connections; what they still hold is not the gateway's
  const own = Object.keys(clients).length;
  await eventually(() => descriptors() <= before + own);
  return { steady, unreadable: backends.unreadable, descriptorsLeft: descriptors() - before };
}

function descriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

async function wildClient(random: Random, ports: ChaosPorts, text: string): Promise<void> {
  const bytes = Buffer.from(text, 'latin1');
  if (random.oneIn(10)) {
    sendDatagram(ports.udp, bytes.subarray(0, random.below(2_000)));
    return;
  }
  const all = [ports.clear, ports.tls, ports.proxied, ports.tunnel, ports.tcp, ports.sni] as const;
  const port = random.pick(all);
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: random.oneIn(2) });
  socket.on('error', () => {});
  const secure = (port === ports.tls || port === ports.proxied) && !random.oneIn(4);
  if (secure && port === ports.proxied) socket.write('PROXY TCP4 192.0.2.1 192.0.2.2 1000 443\r\n');
  const end = secure ? secured(socket, random) : socket;
  // a socket beneath a secure one does not always tell
  const closed = Promise.race(
    [socket, end].map((one) => new Promise((resolve) => one.once('close', resolve))),
  );
  deliver(end, bytes, random, socket);
  await closed;
}

function secured(socket: Socket, random: Random): Socket {
  const secure = connectTls({
    socket,
    rejectUnauthorized: false,
    servername: 'a.example',
    ALPNProtocols: random.pick([['h2'], ['http/1.1'], ['h2', 'http/1.1']]),
  });
  secure.on('close', () => socket.destroy());
  // some leave in the middle of the handshake
  if (random.oneIn(10)) setImmediate(() => socket.destroy());
  return secure;
}

function sendDatagram(port: number, bytes: Buffer): void {
  const socket = createSocket('udp4');
  socket.on('error', () => {});
  socket.send(bytes, port, '127.0.0.1', () => socket.close());
}
