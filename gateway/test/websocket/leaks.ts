// `node gateway/test/websocket/leaks.ts [COUNT]` ends upgrades in every way there is, COUNT times each (1000 when left
// out), and fails when a descriptor, a connection or a count is left over, or the heap grows.
import { once as event } from 'node:events';
import { readdirSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { createGateway, type Gateway } from '../../src/gateway.ts';
import { plan, servicePlan } from '../support/plans.ts';
import { ASK, frame, fromClient, fromServer, SWITCH } from './frames.ts';

const AT_ONCE = 20;
const HEAP_BYTES_EACH = 64;
const HEAP_SLACK_BYTES = 4 * 1024 * 1024;

/** One upgrade: the client's socket, and the backend's once it has been asked. */
interface Ends {
  readonly client: Socket;
  /** What the backend does when it is asked for the upgrade. */
  asked: (server: Socket) => void;
  /** What the client does when an answer is there. */
  answered: (head: string) => void;
}

const MIDDLE = {
  client: fromClient('x'.repeat(500)).slice(0, 100),
  server: fromServer('x'.repeat(500)).slice(0, 100),
};
const MUCH = 4 * 1024 * 1024;

const accept = (server: Socket): void => void server.write(SWITCH, 'latin1');
const later = (act: () => void): void => void setImmediate(act);

/** How an upgrade may end; each must leave nothing. */
export const SCENARIOS: Readonly<Record<string, (ends: Ends) => void>> = {
  'the client resets as soon as it has asked': ({ client }) =>
    client.once('ready', () => client.resetAndDestroy()),
  'the client resets while its head is on the way': ({ client }) => {
    client.once('connect', () => later(() => client.resetAndDestroy()));
  },
  'the client resets before the 101': (ends) => {
    ends.asked = () => ends.client.resetAndDestroy();
  },
  'the client resets while the 101 is on its way': (ends) => {
    ends.asked = (server) => {
      ends.client.resetAndDestroy();
      accept(server);
    };
  },
  'the client resets with the 101': (ends) => {
    ends.asked = accept;
    ends.answered = () => ends.client.resetAndDestroy();
  },
  'the client resets in the middle of a frame': (ends) => {
    ends.asked = accept;
    ends.answered = () => ends.client.write(MIDDLE.client, 'latin1', () => ends.client.resetAndDestroy());
  },
  'the client resets with the first bytes of its frames sent before the 101': (ends) => {
    ends.client.write(MIDDLE.client, 'latin1');
    ends.asked = accept;
    ends.answered = () => ends.client.resetAndDestroy();
  },
  'the client resets with much that it has not read': (ends) => {
    ends.asked = (server) => {
      accept(server);
      server.write(Buffer.from(fromServer('x'.repeat(MUCH)), 'latin1'));
    };
    ends.answered = () => {
      ends.client.pause();
      later(() => ends.client.resetAndDestroy());
    };
  },
  'the client ends without Close': (ends) => {
    ends.asked = accept;
    ends.answered = () => ends.client.end();
  },
  'the client ends in the middle of a frame': (ends) => {
    ends.asked = accept;
    ends.answered = () => ends.client.end(MIDDLE.client, 'latin1');
  },
  'the client ends before the 101': (ends) => {
    ends.asked = (server) => {
      ends.client.end();
      later(() => server.end(SWITCH, 'latin1'));
    };
  },
  'the client sends what is no frame': (ends) => {
    ends.asked = (server) => {
      accept(server);
      server.on('data', () => server.end());
    };
    ends.answered = () => ends.client.write(frame('x', { masked: false }), 'latin1');
  },
  'the backend resets before the 101': (ends) => {
    ends.asked = (server) => server.resetAndDestroy();
    ends.answered = () => ends.client.end();
  },
  'the backend ends before the 101': (ends) => {
    ends.asked = (server) => server.end();
    ends.answered = () => ends.client.end();
  },
  'the backend ends in the middle of the 101': (ends) => {
    ends.asked = (server) => server.end(SWITCH.slice(0, 40), 'latin1');
    ends.answered = () => ends.client.end();
  },
  'the backend resets with the 101': (ends) => {
    ends.asked = (server) => server.write(SWITCH, 'latin1', () => server.resetAndDestroy());
    ends.answered = (head) => {
      if (!head.startsWith('HTTP/1.1 101')) ends.client.end();
    };
  },
  'the backend ends with the 101': (ends) => {
    ends.asked = (server) => server.end(SWITCH, 'latin1');
  },
  'the backend resets in the middle of a frame': (ends) => {
    ends.asked = (server) => {
      server.write(SWITCH + MIDDLE.server, 'latin1');
      server.on('data', () => server.resetAndDestroy());
    };
    ends.answered = () => ends.client.write(fromClient('go'), 'latin1');
  },
  'the backend resets with much that it has not read': (ends) => {
    ends.asked = (server) => {
      server.pause();
      accept(server);
      // the gateway has read some of it by then, and waits for us to
      setTimeout(() => server.resetAndDestroy(), 20);
    };
    ends.answered = () => ends.client.write(Buffer.from(fromClient('x'.repeat(MUCH)), 'latin1'));
  },
  'the backend sends what is no frame': (ends) => {
    ends.asked = (server) => {
      server.write(SWITCH + frame('x', { masked: true }), 'latin1');
      server.on('data', () => server.end());
    };
    ends.answered = () => ends.client.write(fromClient('', { opcode: 8 }), 'latin1');
  },
  'both reset at once': (ends) => {
    ends.asked = (server) => {
      accept(server);
      ends.answered = () => {
        ends.client.resetAndDestroy();
        server.resetAndDestroy();
      };
    };
  },
  'the upgrade is refused, and the client leaves': (ends) => {
    ends.asked = (server) => server.write('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n');
    ends.answered = () => ends.client.resetAndDestroy();
  },
  'the upgrade is refused on a connection that ends': (ends) => {
    ends.asked = (server) => server.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\nno');
    ends.answered = () => ends.client.end();
  },
  'another protocol than was asked for': (ends) => {
    ends.asked = (server) => server.write(SWITCH.replace('websocket', 'h2c'), 'latin1');
    ends.answered = () => ends.client.end();
  },
  'a good WebSocket': (ends) => {
    ends.asked = (server) => {
      accept(server);
      server.on('data', () => server.end(fromServer('\x03\xe8', { opcode: 8 }), 'latin1'));
    };
    ends.answered = () => ends.client.write(fromClient('\x03\xe8', { opcode: 8 }), 'latin1');
  },
};

interface Scene {
  readonly gateway: Gateway;
  readonly port: number;
  readonly backend: Server;
  /** Who is asked next, by the number in its target. */
  readonly waiting: Map<string, Ends>;
  /** How often anybody has asked. */
  asked: number;
}

async function openScene(): Promise<Scene> {
  const waiting = new Map<string, Ends>();
  const backend = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      const id = /^GET \/(\d+) /.exec(bytes.toString('latin1'))?.[1] ?? '';
      const ends = waiting.get(id);
      waiting.delete(id);
      ends?.asked(socket);
    });
  });
  backend.listen(0, '127.0.0.1');
  await event(backend, 'listening');
  const gateway = await createGateway(
    plan([(backend.address() as AddressInfo).port], {
      service: { retry: undefined, pool: { ...servicePlan([]).pool, idleTimeoutMs: 200 } },
      route: { webSocket: { maxConnections: 1_000, idleMs: 2_000, pingMs: 0 } },
    }),
  );
  return { gateway, backend, port: gateway.data.listeners[0]?.port ?? 0, waiting, asked: 0 };
}

function once(scene: Scene, scenario: (ends: Ends) => void): Promise<void> {
  const { port, waiting } = scene;
  return new Promise((resolve) => {
    scene.asked += 1;
    const id = String(scene.asked);
    const client = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    const ends: Ends = { client, asked: () => {}, answered: () => {} };
    let received = '';
    client.on('error', () => {});
    client.on('data', (bytes) => {
      const wasAnswered = received.includes('\r\n\r\n');
      received = (received + bytes.toString('latin1')).slice(0, 4_096);
      if (!wasAnswered && received.includes('\r\n\r\n')) ends.answered(received);
    });
    client.on('end', () => client.end());
    client.on('close', () => {
      // what was never asked is not waited for
      setTimeout(() => waiting.delete(id), 1_000).unref();
      resolve();
    });
    waiting.set(id, ends);
    client.write(ASK.replace('/chat', `/${id}`));
    scenario(ends);
  });
}

/** What must be the same before and after. */
function held({ gateway: { data } }: Scene): Record<string, number> {
  const [backend] = data.services[0]?.backends ?? [];
  const stats = backend?.agent.stats ?? { active: 0, idle: 0, connecting: 0, queued: 0 };
  return {
    connections: data.listeners[0]?.connections ?? 0,
    tunnels: data.routes[0]?.tunnels.open ?? 0,
    pending: backend?.pending ?? 0,
    ...stats,
    descriptors: readdirSync('/proc/self/fd').length,
  };
}

/** Waits until everything is as it was; returns what is not. */
async function settled(scene: Scene, before: Record<string, number>): Promise<readonly string[]> {
  let left: readonly string[] = [];
  for (let look = 0; look < 2_000; look++) {
    const now = held(scene);
    left = Object.keys(before).filter((name) => (now[name] ?? 0) > (before[name] ?? 0));
    if (left.length === 0) return [];
    await delay(10);
  }
  const now = held(scene);
  return left.map((name) => `${name}: ${before[name]} before, ${now[name]} after`);
}

export interface Leak {
  readonly scenario: string;
  readonly left: readonly string[];
}

/** Runs every scenario `count` times. Returns those that left something behind. */
export async function runLeaks(count: number, say: (line: string) => void): Promise<readonly Leak[]> {
  const scene = await openScene();
  const leaks: Leak[] = [];
  const heapBefore = await heapBytes();
  try {
    for (const [scenario, run] of Object.entries(SCENARIOS)) {
      // what is made once is there before it counts
      for (let i = 0; i < 3; i++) await once(scene, run);
      const idle = { connections: 0, tunnels: 0, pending: 0, active: 0, idle: 0, connecting: 0, queued: 0 };
      await settled(scene, idle);
      const before = held(scene);
      const begun = performance.now();
      for (let done = 0; done < count; done += AT_ONCE)
        await Promise.all(Array.from({ length: Math.min(AT_ONCE, count - done) }, () => once(scene, run)));
      const left = await settled(scene, before);
      const took = `${((performance.now() - begun) / 1_000).toFixed(1)} s`;
      say(`${left.length === 0 ? 'flat' : 'LEFT'}: ${scenario}: ${count} in ${took} ${left.join('; ')}`);
      if (left.length > 0) leaks.push({ scenario, left });
    }
    const grown = (await heapBytes()) - heapBefore;
    const each = grown / count / Object.keys(SCENARIOS).length;
    say(`heap: ${(grown / 1_048_576).toFixed(1)} MiB more than before, ${each.toFixed(0)} bytes for each`);
    // a few hundred thousand bytes are the heap's own affair
    if (grown > HEAP_SLACK_BYTES && each > HEAP_BYTES_EACH)
      leaks.push({ scenario: 'heap', left: [`${each}`] });
  } finally {
    scene.gateway.data.destroy();
    scene.backend.close();
  }
  return leaks;
}

/** After a collection, and after what was to be kept for a moment; 0 where nobody may ask for one (`--expose-gc`). */
async function heapBytes(): Promise<number> {
  if (globalThis.gc === undefined) return 0;
  await delay(2_500);
  globalThis.gc();
  return process.memoryUsage().heapUsed;
}

if (import.meta.main) {
  const leaks = await runLeaks(Number(process.argv[2] ?? 1_000), (line) => process.stdout.write(`${line}\n`));
  process.exitCode = leaks.length === 0 ? 0 : 1;
}
