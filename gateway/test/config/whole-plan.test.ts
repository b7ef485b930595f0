import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planOf } from './loading.ts';
import { REST } from './problem-table.ts';

test('every default of the design is filled in', () => {
  assert.deepEqual(planOf(REST), {
    listeners: [
      {
        kind: 'http',
        host: '0.0.0.0',
        port: 8080,
        trustedProxies: [],
        maxConnections: 10_000,
        headTimeoutMs: 10_000,
        bodyTimeoutMs: 60_000,
        keepAliveTimeoutMs: 75_000,
        maxHeadBytes: 16_384,
        maxTargetBytes: 8192,
        maxHeaders: 100,
        tls: undefined,
        http2: undefined,
        proxyProtocol: false,
        redirectToHttpsPort: undefined,
        tunnel: undefined,
      },
    ],
    services: [
      {
        name: 'a',
        backends: [{ name: 'h:1', protocol: 'http', host: 'h', port: 1, weight: 1 }],
        balance: { kind: 'p2c' },
        sticky: undefined,
        pool: {
          maxConnections: 128,
          maxQueue: 256,
          queueTimeoutMs: 1000,
          idleTimeoutMs: 4000,
          maxRequests: 10_000,
          maxAgeMs: 600_000,
        },
        timeouts: { connectMs: 2000, headMs: 30_000, idleMs: 60_000, totalMs: 0, eventStreamMs: 300_000 },
        tls: { ca: undefined, serverName: undefined, verify: true },
        retry: {
          attempts: 1,
          on: ['connect-failure', 'reset', 'timeout'],
          perTryTimeoutMs: 0,
          backoffMs: 25,
          maxBodyBytes: 65_536,
          nonIdempotent: false,
          hedge: undefined,
        },
        retryBudget: { percent: 20, minPerSecond: 3 },
        health: { probe: { type: 'tcp' }, intervalMs: 5000, timeoutMs: 2000, rise: 2, fall: 3 },
        ejection: {
          consecutiveFailures: 5,
          failurePercent: 50,
          minRequests: 20,
          windowMs: 10_000,
          baseMs: 10_000,
          maxMs: 300_000,
          maxPercent: 50,
        },
        breaker: {
          failurePercent: 50,
          minRequests: 20,
          windowMs: 10_000,
          openMs: 5000,
          maxOpenMs: 60_000,
          slowCallMs: 0,
          slowPercent: 100,
        },
        slowStartMs: 10_000,
        whenNoneEligible: 'reject',
        concurrency: undefined,
        sendProxyProtocol: undefined,
      },
    ],
    routes: [
      {
        name: '/',
        host: undefined,
        path: '/',
        methods: [],
        headers: [],
        service: 'a',
        rewrite: undefined,
        timeouts: {},
        retry: 'service',
        concurrency: undefined,
        priority: 'normal',
        webSocket: { maxConnections: 10_000, idleMs: 300_000, pingMs: 0 },
        maxBodyBytes: 10 * 1024 ** 2,
        requestHeaders: { set: {}, remove: [] },
        responseHeaders: { set: {}, remove: [] },
      },
    ],
    explainTokenSha256: undefined,
  });
});

test('everything that is written reaches the plan', () => {
  const plan = planOf(`listeners:
  - address: "[::1]:0"
    trustedProxies: [loopback, 10.1.2.3, "fd00::/8", 10.1.2.3]
    maxConnections: 5
    timeouts: { head: 1s, body: 2s, keepAlive: 3s }
    limits: { head: 32KiB, target: 4KiB, headers: 7 }
services:
  a:
    backends: [https://Example.com, "http://[0:0::1]:81/"]
    balance: hash
    hash: { header: X-User }
    sticky: { ttl: 30d }
    pool: { maxConnections: 1, queue: 0, queueTimeout: 2s, idleTimeout: 3s, maxRequests: 4, maxAge: 5s }
    retry: { attempts: 2, on: [503, reset, reset], perTryTimeout: 1s, backoff: 1ms, maxBodySize: 1KB, nonIdempotent: true, budgetPercent: 1, minPerSecond: 0, hedge: p99.9 }
    health: { path: "/h?a", interval: 1s, timeout: 500ms, rise: 1, fall: 1, status: 204, headers: { X: "y" }, host: h, body: ok }
    ejection: { consecutiveFailures: 1, failurePercent: 2, minRequests: 3, window: 4s, baseTime: 5s, maxTime: 6s, maxPercent: 7 }
    breaker: { failurePercent: 1, minRequests: 2, window: 3s, openTime: 4s, maxOpenTime: 5s, slowCall: 6s, slowPercent: 7 }
    slowStart: 1s
    whenNoneEligible: all
    concurrency: { max: 1, queue: 0, queueTimeout: 2s, adaptive: true }
    timeouts: { connect: 1s, head: 2s, idle: 3s, total: 4s }
    tls: { serverName: B.example, verify: false }
routes:
  - path: /x/
    host: "*.Example.com"
    methods: [GET, GET, POST]
    headers: { X-A: "*", X-B: 1.0 }
    service: a
    rewrite: /y/
    timeouts: { total: 0, head: 1m }
    retry: { attempts: 3, hedge: 20ms }
    concurrency: { max: 9 }
    priority: low
    maxBodySize: false
    requestHeaders: { set: { X-C: "d" }, remove: [X-E, x-e] }
    responseHeaders: { set: { __proto__: "p" } }
`);
  assert.deepEqual(plan.listeners, [
    {
      kind: 'http',
      host: '::1',
      port: 0,
      trustedProxies: ['127.0.0.0/8', '::1/128', '10.1.2.3/32', 'fd00::/8'],
      maxConnections: 5,
      headTimeoutMs: 1000,
      bodyTimeoutMs: 2000,
      keepAliveTimeoutMs: 3000,
      maxHeadBytes: 32_768,
      maxTargetBytes: 4096,
      maxHeaders: 7,
      tls: undefined,
      http2: undefined,
      proxyProtocol: false,
      redirectToHttpsPort: undefined,
      tunnel: undefined,
    },
  ]);
  assert.deepEqual(plan.services, [
    {
      name: 'a',
      backends: [
        { name: 'example.com:443', protocol: 'https', host: 'example.com', port: 443, weight: 1 },
        { name: '[::1]:81', protocol: 'http', host: '::1', port: 81, weight: 1 },
      ],
      balance: { kind: 'hash', key: { from: 'header', name: 'x-user' }, balanceFactor: 1.25 },
      sticky: { cookie: 'portway-a', ttlMs: 30 * 86_400_000 },
      pool: {
        maxConnections: 1,
        maxQueue: 0,
        queueTimeoutMs: 2000,
        idleTimeoutMs: 3000,
        maxRequests: 4,
        maxAgeMs: 5000,
      },
      timeouts: { connectMs: 1000, headMs: 2000, idleMs: 3000, totalMs: 4000, eventStreamMs: 300_000 },
      tls: { ca: undefined, serverName: 'b.example', verify: false },
      retry: {
        attempts: 2,
        on: ['503', 'reset'],
        perTryTimeoutMs: 1000,
        backoffMs: 1,
        maxBodyBytes: 1000,
        nonIdempotent: true,
        hedge: { kind: 'percentile', percentile: 99.9 },
      },
      retryBudget: { percent: 1, minPerSecond: 0 },
      health: {
        probe: {
          type: 'http',
          path: '/h?a',
          host: 'h',
          headers: { X: 'y' },
          minStatus: 204,
          maxStatus: 204,
          body: 'ok',
        },
        intervalMs: 1000,
        timeoutMs: 500,
        rise: 1,
        fall: 1,
      },
      ejection: {
        consecutiveFailures: 1,
        failurePercent: 2,
        minRequests: 3,
        windowMs: 4000,
        baseMs: 5000,
        maxMs: 6000,
        maxPercent: 7,
      },
      breaker: {
        failurePercent: 1,
        minRequests: 2,
        windowMs: 3000,
        openMs: 4000,
        maxOpenMs: 5000,
        slowCallMs: 6000,
        slowPercent: 7,
      },
      slowStartMs: 1000,
      whenNoneEligible: 'all',
      concurrency: { max: 1, queue: 0, queueTimeoutMs: 2000, adaptive: true },
      sendProxyProtocol: undefined,
    },
  ]);
  const [route] = plan.routes;
  assert.deepEqual(route?.headers, [
    { name: 'x-a', value: undefined },
    { name: 'x-b', value: '1.0' },
  ]);
  assert.deepEqual(Object.entries(route?.responseHeaders.set ?? {}), [['__proto__', 'p']]);
  assert.deepEqual(
    { ...route, headers: [], responseHeaders: {} },
    {
      name: '*.example.com/x',
      host: '*.example.com',
      path: '/x',
      methods: ['GET', 'POST'],
      headers: [],
      service: 'a',
      rewrite: '/y',
      timeouts: { totalMs: 0, headMs: 60_000 },
      retry: {
        attempts: 3,
        on: ['503', 'reset'],
        perTryTimeoutMs: 1000,
        backoffMs: 1,
        maxBodyBytes: 1000,
        nonIdempotent: true,
        hedge: { kind: 'after', afterMs: 20 },
      },
      concurrency: { max: 9, queue: 64, queueTimeoutMs: 1000, adaptive: false },
      priority: 'low',
      webSocket: { maxConnections: 10_000, idleMs: 300_000, pingMs: 0 },
      maxBodyBytes: Number.MAX_SAFE_INTEGER,
      requestHeaders: { set: { 'X-C': 'd' }, remove: ['x-e'] },
      responseHeaders: {},
    },
  );
});
