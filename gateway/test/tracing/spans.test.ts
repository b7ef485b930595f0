import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { TracingPlan } from '../../src/control/control-plan.ts';
import { createGateway } from '../../src/gateway.ts';
import { QUIET } from '../access-log/logged-gateway.ts';
import {
  type Asked,
  answer,
  type Behaviour,
  failing,
  hang,
  ok,
  reset,
  ScriptedBackend,
} from '../resilience-path/scripted-backend.ts';
import { plan, retryPlan } from '../support/plans.ts';
import { exchangeRaw, RawClient } from '../support/raw-client.ts';
import { Collector, type ReadSpan } from './collector.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';
const SERVER = 2;
const CLIENT = 3;

type Changes = NonNullable<Parameters<typeof plan>[1]>;

interface Traced {
  readonly port: number;
  readonly collector: Collector;
  readonly asked: readonly Asked[];
  /** Sends a request on a connection of its own. */
  ask(target: string, fields?: string, method?: string): Promise<string>;
  /** Ends the gateway, which sends what it has; all spans, the gateway's own first. */
  spans(): Promise<readonly ReadSpan[]>;
}

/** A gateway that traces all requests, before two backends that do `first` with the first request and `others` with others. */
async function traced(
  t: TestContext,
  first: Behaviour,
  others: Behaviour = ok,
  changes: Changes = {},
  tracing: Partial<TracingPlan> = {},
): Promise<Traced> {
  const collector = await Collector.start(t);
  const asked: Asked[] = [];
  const behave: Behaviour = (one) => {
    asked.push(one);
    (asked.length === 1 ? first : others)(one);
  };
  const servers = [await ScriptedBackend.start(behave), await ScriptedBackend.start(behave)];
  const gateway = await createGateway(
    plan(
      servers.map(({ port }) => port),
      changes,
    ),
    {
      version: '1.2.3',
      control: {
        ...QUIET,
        tracing: {
          url: collector.url,
          sampleRatio: 1,
          headers: { 'X-Key': 'hunter2' },
          serviceName: 'edge',
          redact: { headers: [], query: [] },
          ...tracing,
        },
      },
    },
  );
  t.after(async () => {
    await gateway.stop(0);
    await Promise.all(servers.map((server) => server.stop()));
  });
  const port = gateway.data.listeners[0]?.port ?? 0;
  return {
    port,
    collector,
    asked,
    ask: (target, fields = '', method = 'GET') =>
      exchangeRaw(
        port,
        `${method} ${target} HTTP/1.1\r\nHost: a.test:81\r\nConnection: close\r\n${fields}\r\n`,
      ),
    async spans() {
      await gateway.stop(1_000);
      return [...collector.spans].sort((a, b) => a.kind - b.kind);
    },
  };
}

const traceparentOf = ({ head }: Asked): string => /\r\ntraceparent: (\S+)/i.exec(head)?.[1] ?? '';

/** One span of the gateway, and the attempts below it in their order. */
function tree(spans: readonly ReadSpan[]): {
  readonly server: ReadSpan;
  readonly attempts: readonly ReadSpan[];
} {
  const [server, ...attempts] = spans;
  assert.ok(server?.kind === SERVER, JSON.stringify(spans));
  for (const attempt of attempts) {
    assert.equal(attempt.kind, CLIENT);
    assert.equal(attempt.traceId, server.traceId);
    assert.equal(attempt.parentSpanId, server.spanId);
    assert.ok(BigInt(attempt.startTimeUnixNano) >= BigInt(server.startTimeUnixNano));
    assert.ok(BigInt(attempt.endTimeUnixNano) <= BigInt(server.endTimeUnixNano));
  }
  for (const { startTimeUnixNano, endTimeUnixNano } of spans) {
    assert.ok(BigInt(startTimeUnixNano) <= BigInt(endTimeUnixNano));
    assert.ok(Math.abs(Number(startTimeUnixNano) / 1e6 - Date.now()) < 60_000);
  }
  assert.equal(new Set(spans.map(({ spanId }) => spanId)).size, spans.length);
  return { server, attempts };
}

test('a request is a span of the gateway and one of its attempt, whose id the backend gets as its parent', async (t) => {
  const { ask, asked, spans, collector } = await traced(t, ok, ok, {
    route: { path: '/api', name: 'api route' },
  });
  await ask('/api/1?page=2&token=hunter2', 'User-Agent: "test\u00ff"\r\n');
  const { server, attempts } = tree(await spans());
  const [attempt] = attempts;
  assert.ok(attempt !== undefined && attempts.length === 1 && asked[0] !== undefined);
  assert.match(server.traceId, /^[0-9a-f]{32}$/);
  assert.match(server.spanId, /^[0-9a-f]{16}$/);
  assert.equal(server.parentSpanId, undefined);
  assert.equal(traceparentOf(asked[0]), `00-${server.traceId}-${attempt.spanId}-01`);
  assert.deepEqual([server.name, attempt.name], ['GET /api', 'GET']);
  assert.deepEqual([server.flags, attempt.flags], [0x101, 0x101]);
  const [port] = /\d+$/.exec(String(attempt.attributes['portway.backend'])) ?? [];
  const { 'portway.queue_ms': queue, 'portway.connect_ms': connect, ...attributes } = server.attributes;
  assert.equal(typeof queue, 'number');
  assert.equal(typeof connect, 'number');
  assert.deepEqual(attributes, {
    'http.request.method': 'GET',
    'url.scheme': 'http',
    'url.path': '/api/1',
    'url.query': 'page=2&token=[redacted]',
    'http.route': '/api',
    'http.response.status_code': 200,
    'server.address': 'a.test',
    'server.port': 81,
    'client.address': '127.0.0.1',
    'network.peer.address': '127.0.0.1',
    'network.protocol.version': '1.1',
    'user_agent.original': '"test\u00ff"',
    'portway.request_id': server.traceId,
    'portway.route': 'api route',
    'portway.service': 'web',
    'portway.backend': `127.0.0.1:${port}`,
    'portway.termination': '--',
    'portway.attempts': 1,
  });
  assert.deepEqual(attempt.attributes, {
    'http.request.method': 'GET',
    'url.full': `http://127.0.0.1:${port}/api/1?page=2&token=[redacted]`,
    'server.address': '127.0.0.1',
    'server.port': Number(port),
    'http.response.status_code': 200,
    'network.protocol.version': '1.1',
    'portway.service': 'web',
    'portway.backend': `127.0.0.1:${port}`,
    'portway.attempt': 'first',
  });
  const [batch] = collector.batches;
  assert.equal(batch?.path, '/v1/traces');
  assert.equal(batch?.headers['content-type'], 'application/json');
  assert.equal(batch?.headers['x-key'], 'hunter2');
  assert.equal(batch?.resource['service.name'], 'edge');
  assert.equal(batch?.resource['service.version'], '1.2.3');
  assert.equal(batch?.scope, 'portway');
});

test('a caller that sampled is gone on from, and one that did not is respected', async (t) => {
  const { ask, asked, spans } = await traced(t, ok, ok, {}, { sampleRatio: 0 });
  await ask('/sampled', `Traceparent: 00-${TRACE}-${PARENT}-03\r\ntracestate: a=1\r\n`);
  await ask('/not', `traceparent: 00-${TRACE}-${PARENT}-00\r\n`);
  await ask('/none');
  const { server, attempts } = tree(await spans());
  assert.deepEqual([server.traceId, server.parentSpanId], [TRACE, PARENT]);
  // the parent is elsewhere, and the caller's other flags are kept
  assert.equal(server.flags, 0x303);
  assert.deepEqual(asked.map(traceparentOf).slice(0, 2), [
    `00-${TRACE}-${attempts[0]?.spanId}-03`,
    `00-${TRACE}-${PARENT}-00`,
  ]);
  assert.match(asked.map(traceparentOf)[2] ?? '', /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
  assert.ok(asked[0]?.head.includes('\r\ntracestate: a=1'));
});

test('a caller that did not sample is respected where all are sampled', async (t) => {
  const { ask, asked, spans } = await traced(t, ok);
  await ask('/', `traceparent: 00-${TRACE}-${PARENT}-00\r\n`);
  assert.deepEqual(await spans(), []);
  assert.deepEqual(asked.map(traceparentOf), [`00-${TRACE}-${PARENT}-00`]);
});

test('a traceparent that is none, or comes twice, starts a trace', async (t) => {
  const { ask, asked, spans } = await traced(t, ok);
  await ask('/', `traceparent: 00-${TRACE}-0000000000000000-01\r\n`);
  await ask('/', `traceparent: 00-${TRACE}-${PARENT}-01\r\n`.repeat(2));
  const servers = (await spans()).filter(({ kind }) => kind === SERVER);
  assert.equal(servers.length, 2);
  for (const { traceId, parentSpanId } of servers) {
    assert.notEqual(traceId, TRACE);
    assert.equal(parentSpanId, undefined);
  }
  for (const [index, one] of asked.entries())
    assert.ok(traceparentOf(one).includes(servers[index]?.traceId ?? '-'));
});

test('a retry is a span of its own, with its own id for its backend', async (t) => {
  const retry = retryPlan({ attempts: 1, backoffMs: 1 });
  const { ask, asked, spans } = await traced(t, reset, ok, { service: { retry } });
  await ask('/', `traceparent: 00-${TRACE}-${PARENT}-01\r\n`);
  const { server, attempts } = tree(await spans());
  const [failed, answered] = attempts;
  assert.equal(attempts.length, 2);
  assert.deepEqual(
    asked.map(traceparentOf),
    attempts.map(({ spanId }) => `00-${TRACE}-${spanId}-01`),
  );
  assert.equal(failed?.attributes['error.type'], 'backend_closed');
  assert.equal(failed?.status?.code, 2);
  assert.equal(failed?.attributes['http.response.status_code'], undefined);
  assert.equal(answered?.attributes['http.request.resend_count'], 1);
  assert.equal(answered?.attributes['portway.attempt'], 'retry');
  assert.equal(answered?.status, undefined);
  assert.equal(server.status, undefined);
  assert.ok(BigInt(failed?.endTimeUnixNano ?? 0) <= BigInt(answered?.startTimeUnixNano ?? 0));
});

test('an answer that is not wanted ends its attempt with its status', async (t) => {
  const retry = retryPlan({ attempts: 1, on: ['503'], backoffMs: 1 });
  const { ask, spans } = await traced(t, failing(503), ok, { service: { retry } });
  await ask('/');
  const { server, attempts } = tree(await spans());
  assert.deepEqual(
    attempts.map(({ attributes, status }) => [attributes['http.response.status_code'], status?.code]),
    [
      [503, 2],
      [200, undefined],
    ],
  );
  assert.equal(server.attributes['http.response.status_code'], 200);
});

test('of a hedge both attempts are seen, and the one that lost was not wanted', async (t) => {
  const retry = retryPlan({ hedge: { kind: 'after', afterMs: 5 } });
  const { ask, asked, spans } = await traced(t, hang, ok, { service: { retry } });
  await ask('/');
  const { attempts } = tree(await spans());
  assert.deepEqual(
    asked.map(traceparentOf).map((one) => one.slice(36, 52)),
    attempts.map(({ spanId }) => spanId),
  );
  assert.deepEqual(
    attempts.map(({ attributes }) => [
      attributes['portway.attempt'],
      attributes['http.response.status_code'],
      attributes['portway.cancelled'],
    ]),
    [
      ['first', undefined, true],
      ['hedge', 200, undefined],
    ],
  );
});

test('what the gateway answers itself has a span without attempts, and a fault of the client is no error', async (t) => {
  const { ask, spans } = await traced(t, ok, ok, { route: { path: '/api' } });
  await ask('/elsewhere', '', 'BREW');
  const { server, attempts } = tree(await spans());
  assert.equal(attempts.length, 0);
  assert.equal(server.name, 'HTTP');
  assert.equal(server.status, undefined);
  assert.deepEqual(
    ['http.request.method', 'http.request.method_original', 'http.response.status_code', 'error.type'].map(
      (key) => server.attributes[key],
    ),
    ['_OTHER', 'BREW', 404, 'no_route'],
  );
});

test('a backend that fails is an error of the gateway’s span; a client that leaves is none', async (t) => {
  const retry = retryPlan({ attempts: 0, on: [] });
  const { ask, asked, spans, port } = await traced(t, reset, hang, { service: { retry } });
  await ask('/failing');
  const client = await RawClient.open(port);
  client.send('GET /leaving HTTP/1.1\r\nHost: a\r\n\r\n');
  while (asked.length < 2) await new Promise((resolve) => setTimeout(resolve, 2));
  client.socket.resetAndDestroy();
  const all = await spans();
  const of = (path: string, kind: number) =>
    all.find(
      (span) =>
        span.kind === kind &&
        String(span.attributes['url.path'] ?? span.attributes['url.full']).endsWith(path),
    );
  assert.deepEqual(
    [of('/failing', SERVER)?.status?.code, of('/failing', SERVER)?.attributes['error.type']],
    [2, 'backend_closed'],
  );
  const left = of('/leaving', SERVER);
  assert.deepEqual(
    [left?.status, left?.attributes['error.type'], left?.attributes['http.response.status_code']],
    [undefined, 'client_left', undefined],
  );
  assert.equal(of('/leaving', CLIENT)?.attributes['portway.cancelled'], true);
});

test('whatever a client sends, a batch is read whole', async (t) => {
  const { ask, spans } = await traced(t, ok);
  const hostile = ['"},{"a":"', '%0d%0a', 'p'.repeat(3_000), '%ff%fe', "'$(x)`"];
  for (const one of hostile) await ask(`/${one}?${one}`, `User-Agent: ${one}\xff\xfe\t"\\\r\n`);
  const servers = (await spans()).filter(({ kind }) => kind === SERVER);
  assert.equal(servers.length, hostile.length);
  for (const { attributes } of servers) assert.ok(JSON.stringify(attributes).length < 8 * 1024);
});

test('a route may take the traceparent away', async (t) => {
  const requestHeaders = { set: {}, remove: ['traceparent'] };
  const { ask, asked, spans } = await traced(t, ok, ok, { route: { requestHeaders } });
  await ask('/');
  assert.equal(traceparentOf(asked[0] as Asked), '');
  assert.equal((await spans()).length, 2);
});

test('without tracing nothing is sent, and the traceparent says that nobody recorded it', async (t) => {
  const asked: Asked[] = [];
  const server = await ScriptedBackend.start((one) => {
    asked.push(one);
    answer(one, 200, 'ok');
  });
  const gateway = await createGateway(plan([server.port]), { control: QUIET });
  t.after(async () => {
    await gateway.stop(0);
    await server.stop();
  });
  const port = gateway.data.listeners[0]?.port ?? 0;
  await exchangeRaw(port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  assert.match(traceparentOf(asked[0] as Asked), /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
});
