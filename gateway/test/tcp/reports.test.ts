import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { ExchangeReport } from '../../src/data/port.ts';
import { eventually, startGateway } from '../relay/gateway-in-test.ts';
import { RawBackend } from '../support/raw-backend.ts';
import { closedPort } from './closed-port.ts';
import { helloOf } from './hello-of.ts';
import { connectionEnds, leave } from './how-it-ends.ts';
import { tcpPlan, tcpServicePlan } from './tcp-plans.ts';

type Seen = Pick<
  ExchangeReport,
  | 'protocol'
  | 'method'
  | 'host'
  | 'route'
  | 'service'
  | 'backend'
  | 'attempts'
  | 'failure'
  | 'bytesIn'
  | 'bytesOut'
> & { readonly ending: string | undefined; readonly traced: boolean };

/** What those who watch are told, read while it may be. */
function watcher(seen: Seen[]): { samples: () => boolean; ended: (report: ExchangeReport) => void } {
  return {
    samples: () => true,
    ended: (report) => {
      const { protocol, method, host, route, service, backend, attempts, failure, bytesIn, bytesOut } =
        report;
      const way = { protocol, method, host, route, service, backend, attempts, failure, bytesIn, bytesOut };
      seen.push({ ...way, ending: report.tunnel?.ending, traced: report.trace !== undefined });
    },
  };
}

/** Connections for db.example.com, and for dead.example.com, where nobody listens; what is told of them is in `seen`. */
async function watched(t: TestContext) {
  const backend = await RawBackend.start(({ socket }) => void socket.write('welcome'));
  t.after(() => backend.stop());
  const seen: Seen[] = [];
  const services = [tcpServicePlan([backend.port]), tcpServicePlan([await closedPort()], { name: 'dead' })];
  const sniServices = [
    { name: 'db.example.com', service: 'db' },
    { name: 'dead.example.com', service: 'dead' },
  ];
  const gateway = await startGateway(
    t,
    tcpPlan([], { services, listener: { service: undefined, sniServices } }),
  );
  gateway.gateway.data.watch(watcher(seen));
  return { gateway, backend, seen };
}

test('those who watch are told of each connection: by what name, where to, how much and how it ended', async (t) => {
  const { gateway, backend, seen } = await watched(t);
  const hello = await helloOf({ servername: 'db.example.com' });
  const client = await gateway.client();
  client.socket.write(hello);
  await client.contains('welcome');
  await leave(client);
  await eventually(() => seen.length === 1);
  const common = { protocol: 'TCP', method: '', traced: false } as const;
  assert.deepEqual(seen[0], {
    ...common,
    host: 'db.example.com',
    route: 'tcp 127.0.0.1:0 db',
    service: 'db',
    backend: `127.0.0.1:${backend.port}`,
    attempts: 1,
    failure: undefined,
    bytesIn: hello.length,
    bytesOut: 7,
    ending: 'client',
  });
});

test('those who watch are told why a connection came to nothing', async (t) => {
  const { gateway, seen } = await watched(t);
  await connectionEnds(gateway.port, await helloOf({ servername: 'dead.example.com' }));
  await eventually(() => seen.length === 1);
  const { failure, host, ending, bytesOut } = seen[0] ?? {};
  assert.deepEqual(
    { failure, host, ending, bytesOut },
    {
      failure: 'connect_refused',
      host: 'dead.example.com',
      ending: undefined,
      bytesOut: 0,
    },
  );
  await connectionEnds(gateway.port, await helloOf({ servername: 'nobody.example.com' }));
  const last = seen[1];
  assert.deepEqual(
    [last?.protocol, last?.failure, last?.host],
    ['TCP', 'unknown_server_name', 'nobody.example.com'],
  );
});

test('a connection is no request: it is counted with tunnels, and by its backend', async (t) => {
  const backend = await RawBackend.start(({ socket }) => void socket.write('welcome'));
  t.after(() => backend.stop());
  const gateway = await startGateway(t, tcpPlan([backend.port]));
  const client = await gateway.client();
  await client.send('hello').contains('welcome');
  const open = gateway.gateway.data.counts();
  assert.equal(open.routes[0]?.tunnels.open, 1);
  assert.deepEqual([open.routes[0]?.tunnels.bytesIn, open.routes[0]?.tunnels.bytesOut], [5, 7]);
  await leave(client);
  await eventually(() => gateway.gateway.data.counts().routes[0]?.tunnels.open === 0);
  const { routes, backends } = gateway.gateway.data.counts();
  assert.deepEqual(routes[0]?.traffic.byKind, []);
  assert.deepEqual(routes[0]?.tunnels.ended, { client: 1 });
  assert.equal(backends[0]?.connects, 1);
  assert.deepEqual(backends[0]?.closed, { 'tunnel-ended': 1 });
});
