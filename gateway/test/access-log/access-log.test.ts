import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { eventually } from '../relay/gateway-in-test.ts';
import {
  answer,
  type Behaviour,
  failing,
  hang,
  ok,
  reset,
  ScriptedBackend,
} from '../resilience-path/scripted-backend.ts';
import { plan, retryPlan } from '../support/plans.ts';
import { type Entry, type LoggedGateway, request, startLogged } from './logged-gateway.ts';

type Changes = Parameters<typeof plan>[1];

async function stage(
  t: TestContext,
  behaviours: readonly Behaviour[],
  changes: Changes = {},
  log: Parameters<typeof startLogged>[2] = {},
): Promise<LoggedGateway & { readonly servers: readonly ScriptedBackend[] }> {
  const servers = await Promise.all(behaviours.map((behave) => ScriptedBackend.start(behave)));
  t.after(() => Promise.all(servers.map((server) => server.stop())));
  const ports = servers.map(({ port }) => port);
  const service = { balance: { kind: 'round-robin' } as const, ...changes.service };
  return { ...(await startLogged(t, plan(ports, { ...changes, service }), log)), servers };
}

function only(entries: readonly Entry[]): Entry {
  assert.equal(entries.length, 1, JSON.stringify(entries));
  return entries[0] ?? {};
}

/** Does `first` with the first request of all, whichever backend gets it, and `others` with the others. */
function firstOther(
  first: Behaviour,
  others = ok,
): { readonly behave: Behaviour; readonly names: readonly string[] } {
  const names: string[] = [];
  const behave: Behaviour = (asked) => {
    names.push(`127.0.0.1:${asked.connection.socket.localPort}`);
    (names.length === 1 ? first : others)(asked);
  };
  return { behave, names };
}

const number = (entry: Entry, key: string): number => {
  const value = entry[key];
  assert.equal(typeof value, 'number', `${key} of ${JSON.stringify(entry)}`);
  return value as number;
};

/** Whether the parts of the time are none of them negative and make up no more than the whole. */
function assertAddsUp(entry: Entry): void {
  const parts = ['queueMs', 'connectMs', ...('firstByteMs' in entry ? ['firstByteMs'] : [])];
  const values = parts.map((key) => number(entry, key));
  for (const [index, value] of values.entries()) assert.ok(value >= 0, `${parts[index]} ${value}`);
  const sum = values.reduce((all, value) => all + value, 0);
  // each is rounded to a microsecond
  assert.ok(sum <= number(entry, 'totalMs') + 0.002 * parts.length, JSON.stringify(entry));
}

test('a line tells who asked for what, where it went, how it ended and how long each part took', async (t) => {
  const { ask, entries, servers } = await stage(t, [ok]);
  const asked = request('/things/1?page=2');
  const reply = await ask(asked);
  const entry = only(await entries());
  assertAddsUp(entry);
  const { time, requestId, traceId, queueMs, connectMs, firstByteMs, totalMs, ...rest } = entry;
  assert.ok(Math.abs(Date.parse(String(time)) - Date.now()) < 60_000);
  assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.match(String(requestId), /^[0-9a-f]{32}$/);
  assert.equal(traceId, requestId);
  const sent = servers[0]?.asked[0]?.head ?? '';
  assert.ok(sent.includes(`X-Request-Id: ${requestId}`) && sent.includes(`traceparent: 00-${traceId}-`));
  for (const ms of [queueMs, connectMs, firstByteMs, totalMs]) assert.equal(typeof ms, 'number');
  assert.ok(number(entry, 'connectMs') > 0);
  assert.deepEqual(rest, {
    log: 'access',
    clientIp: '127.0.0.1',
    method: 'GET',
    host: 'a.test:80',
    path: '/things/1',
    query: 'page=2',
    protocol: 'HTTP/1.1',
    status: 200,
    termination: '--',
    route: '/',
    service: 'web',
    backend: servers[0]?.name,
    attempts: 1,
    retries: 0,
    hedged: false,
    bytesIn: asked.length,
    bytesOut: reply.length,
  });
});

test('bodies count as they go over the wire, framing included', async (t) => {
  const big = 'x'.repeat(200_000);
  const { ask, entries } = await stage(t, [(asked) => answer(asked, 200, big)]);
  const sizes: number[][] = [];
  for (const body of ['small', 'y'.repeat(50_000)]) {
    const text = request('/', `Content-Length: ${body.length}\r\n`, 'POST') + body;
    sizes.push([text.length, (await ask(text)).length]);
  }
  const logged = (await entries()).map(({ bytesIn, bytesOut }) => [bytesIn, bytesOut]);
  assert.deepEqual(logged, sizes);
});

test('a connection that is there already costs no wait', async (t) => {
  const { client, entries } = await stage(t, [ok]);
  const one = await client();
  for (let i = 1; i <= 3; i++) {
    one.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await one.until((received) => received.split('ok').length > i);
  }
  const [first = {}, ...others] = await entries();
  assert.ok(number(first, 'connectMs') > 0);
  assert.deepEqual(
    others.map(({ queueMs, connectMs }) => [queueMs, connectMs]),
    [
      [0, 0],
      [0, 0],
    ],
  );
});

test('waiting for a connection that others have is told apart from waiting for the answer', async (t) => {
  const held: (() => void)[] = [];
  const slow: Behaviour = (asked) => void held.push(() => answer(asked, 200, 'ok'));
  const pool = { maxConnections: 1, maxQueue: 8, queueTimeoutMs: 5_000 } as const;
  const base = plan([]).services[0]?.pool;
  assert.ok(base !== undefined);
  const { client, entries, servers } = await stage(t, [slow], { service: { pool: { ...base, ...pool } } });
  const clients = [await client(), await client()];
  clients[0]?.send(request('/first'));
  await servers[0]?.askedTimes(1);
  clients[1]?.send(request('/second'));
  await new Promise((resolve) => setTimeout(resolve, 40));
  held.shift()?.();
  await servers[0]?.askedTimes(2);
  await new Promise((resolve) => setTimeout(resolve, 20));
  held.shift()?.();
  await Promise.all(clients.map((one) => one.end()));
  const second = (await entries()).find(({ path }) => path === '/second') ?? {};
  assertAddsUp(second);
  assert.ok(number(second, 'queueMs') >= 30, JSON.stringify(second));
  assert.equal(number(second, 'connectMs'), 0);
  assert.ok(number(second, 'firstByteMs') >= 15 && number(second, 'firstByteMs') < number(second, 'totalMs'));
});

test('waiting for admission is waiting too, and no time of the backend', async (t) => {
  const held: (() => void)[] = [];
  const slow: Behaviour = (asked) =>
    void held.push(() => {
      answer(asked, 200, 'ok', 'Connection: close\r\n');
      asked.connection.socket.end();
    });
  const concurrency = { max: 1, queue: 8, queueTimeoutMs: 5_000, adaptive: false };
  const { client, entries, servers } = await stage(t, [slow], { service: { concurrency } });
  const clients = [await client(), await client()];
  clients[0]?.send(request('/first'));
  await servers[0]?.askedTimes(1);
  clients[1]?.send(request('/second'));
  await new Promise((resolve) => setTimeout(resolve, 40));
  held.shift()?.();
  await servers[0]?.askedTimes(2);
  held.shift()?.();
  await Promise.all(clients.map((one) => one.end()));
  const second = (await entries()).find(({ path }) => path === '/second') ?? {};
  assertAddsUp(second);
  assert.ok(number(second, 'queueMs') >= 30 && number(second, 'connectMs') < 30, JSON.stringify(second));
  assert.ok(number(second, 'firstByteMs') < 30, JSON.stringify(second));
});

test('retries are counted, and the backend is the last one', async (t) => {
  const retry = retryPlan({ attempts: 2, backoffMs: 1 });
  const { behave, names } = firstOther(reset);
  const { ask, entries } = await stage(t, [behave, behave], { service: { retry } });
  await ask(request('/'));
  const entry = only(await entries());
  assertAddsUp(entry);
  const { status, termination, attempts, retries, backend } = entry;
  assert.deepEqual(
    { status, termination, attempts, retries, backend },
    { status: 200, termination: '--', attempts: 2, retries: 1, backend: names[1] },
  );
});

test('an answer that was not wanted is no part of what became of the request', async (t) => {
  const retry = retryPlan({ attempts: 1, on: ['503'], backoffMs: 1 });
  const { behave } = firstOther(failing(503), reset);
  const { ask, entries } = await stage(t, [behave, behave], { service: { retry } });
  await ask(request('/'));
  const entry = only(await entries());
  assert.deepEqual(
    [entry['code'], entry['termination'], entry['firstByteMs']],
    ['backend_closed', 'SH', undefined],
  );
});

test('a hedge is told', async (t) => {
  const hedge = { kind: 'after', afterMs: 5 } as const;
  const { behave } = firstOther(hang);
  const { ask, entries } = await stage(t, [behave, behave], {
    service: { retry: retryPlan({ hedge }) },
  });
  await ask(request('/'));
  const entry = only(await entries());
  assertAddsUp(entry);
  assert.deepEqual([entry['hedged'], entry['attempts'], entry['retries']], [true, 2, 0]);
});

test('who ended an exchange and where is told in two letters', async (t) => {
  const refusing = await ScriptedBackend.start();
  await refusing.stop();
  const none = retryPlan({ attempts: 0, on: [] });
  const cases: readonly (readonly [string, Behaviour | 'refused', Changes, string])[] = [
    ['refused', 'refused', {}, '502 connect_refused SC'],
    ['closed', ({ connection }) => void connection.socket.end(), {}, '502 backend_closed SH'],
    ['nonsense', ({ connection }) => void connection.socket.write('hm\r\n\r\n'), {}, '502 bad_response SH'],
    [
      'broken off',
      ({ connection }) =>
        void connection.socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nfour', 'latin1'),
      {},
      '502 backend_truncated SD',
    ],
    [
      'silent',
      hang,
      {
        service: {
          timeouts: { connectMs: 500, headMs: 50, idleMs: 500, totalMs: 0, eventStreamMs: 300_000 },
        },
      },
      '504 response_timeout sH',
    ],
    [
      'too long in all',
      hang,
      {
        service: {
          timeouts: { connectMs: 500, headMs: 500, idleMs: 500, totalMs: 50, eventStreamMs: 300_000 },
        },
      },
      '504 total_timeout sH',
    ],
    ['failing', failing(500), {}, '500 undefined --'],
  ];
  for (const [name, behave, changes, expected] of cases) {
    await t.test(name, async (t) => {
      const service = { retry: none, ...changes?.service };
      const logged =
        behave === 'refused'
          ? await startLogged(t, plan([refusing.port], { service }))
          : await stage(t, [behave], { ...changes, service });
      // an answer that is broken off ends in a reset
      await logged.ask(request('/')).catch(() => '');
      const entry = only(await logged.entries());
      assertAddsUp(entry);
      assert.equal(`${entry['status']} ${entry['code']} ${entry['termination']}`, expected);
    });
  }
});

test('a client that leaves is a 499, and where it left is told', async (t) => {
  const { client, entries, servers, file } = await stage(t, [hang]);
  const waiting = await client();
  waiting.send(request('/waiting'));
  await servers[0]?.askedTimes(1);
  waiting.socket.resetAndDestroy();
  const answered = await client();
  answered.send(request('/answered'));
  const asked = await servers[0]?.askedTimes(2);
  asked?.connection.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nfour');
  await answered.contains('four');
  answered.socket.resetAndDestroy();
  await eventually(() => readFileSync(file, 'utf8').includes('/answered'));
  const told = (await entries()).map(({ path, status, code, termination }) => [
    path,
    status,
    code,
    termination,
  ]);
  assert.deepEqual(told, [
    ['/waiting', 499, 'client_left', 'CH'],
    ['/answered', 499, 'client_left', 'CD'],
  ]);
});

test('what the gateway answers itself, and what was no request, has its line too', async (t) => {
  const { ask, entries } = await stage(t, [ok], { route: { path: '/api', name: '/api' } });
  await ask(request('/elsewhere'));
  await ask('GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n');
  await ask('\x16\x03\x01\x02\x00\x01\x00\r\n\r\n');
  await ask(request('*', '', 'OPTIONS'));
  const told = (await entries()).map((entry) => {
    const { status, code, termination, method, path, route } = entry;
    return [status, code, termination, method, path, route];
  });
  assert.deepEqual(told, [
    [404, 'no_route', 'PR', 'GET', '/elsewhere', undefined],
    [400, 'bad_host', 'PR', undefined, undefined, undefined],
    [400, 'bad_request_line', 'PR', undefined, undefined, undefined],
    [200, undefined, '--', 'OPTIONS', '*', undefined],
  ]);
});

test('a tunnel has its line when it ends, and be it by the end of the gateway', async (t) => {
  const switching: Behaviour = ({ connection }) =>
    void connection.socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\nhello',
    );
  const { client, entries } = await stage(t, [switching]);
  const one = await client();
  one.send('GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n');
  const received = await one.contains('hello');
  const entry = only(await entries());
  assertAddsUp(entry);
  assert.deepEqual([entry['status'], entry['termination'], entry['bytesOut']], [101, '--', received.length]);
});

test('the client is who trusted proxies say', async (t) => {
  const listener = { trustedProxies: ['127.0.0.0/8'] };
  const { ask, entries } = await stage(t, [ok], { listener });
  await ask(request('/', 'X-Forwarded-For: 203.0.113.9\r\n'));
  assert.equal(only(await entries())['clientIp'], '203.0.113.9');
});

test('of errors only those are logged, of a sample those and the requests whose trace id says so', async (t) => {
  const behave: Behaviour = (asked) =>
    answer(asked, asked.target === '/bad' ? 500 : asked.target === '/missing' ? 404 : 200, 'x');
  const traceparent = (high: string): string =>
    `traceparent: 00-0af7651916cd43dd00${high}00000000000-0000000000000001-01\r\n`;
  const asks = [
    request('/low', traceparent('000')),
    request('/high', traceparent('fff')),
    request('/missing', traceparent('000')),
    request('/bad', traceparent('000')),
  ];
  for (const [mode, expected] of [
    ['errors', ['/bad']],
    ['sampled', ['/high', '/bad']],
    ['all', ['/low', '/high', '/missing', '/bad']],
  ] as const) {
    await t.test(mode, async (t) => {
      const { ask, entries } = await stage(t, [behave], {}, { mode, sampleRatio: 0.01 });
      for (const one of asks) await ask(one);
      assert.deepEqual(
        (await entries()).map(({ path }) => path),
        expected,
      );
    });
  }
});

test('the ids of a client are taken over', async (t) => {
  const { ask, entries } = await stage(t, [ok]);
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  await ask(request('/', `traceparent: 00-${traceId}-b7ad6b7169203331-00\r\nX-Request-Id: mine/7\r\n`));
  const entry = only(await entries());
  assert.deepEqual([entry['requestId'], entry['traceId']], ['mine/7', traceId]);
});
