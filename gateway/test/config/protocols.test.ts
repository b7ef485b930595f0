import assert from 'node:assert/strict';
import { test } from 'node:test';
import { watchedFiles } from '../../src/control/reload/watched-files.ts';
import type { HttpListenerPlan, ListenerPlan, ServicePlan } from '../../src/data/plan.ts';
import { sha256 } from '../relay/pattern.ts';
import { complaints, load, planOf } from './loading.ts';
import { REST, withLayer4, withListener, withRoutes, withService } from './problem-table.ts';

function listenerOf(text: string): ListenerPlan {
  const [listener] = planOf(text).listeners;
  assert.ok(listener !== undefined);
  return listener;
}

function httpOf(keys: string): HttpListenerPlan {
  const listener = listenerOf(withListener(keys));
  assert.ok(listener.kind === 'http');
  return listener;
}

function serviceOf(text: string): ServicePlan {
  const [service] = planOf(text).services;
  assert.ok(service !== undefined);
  return service;
}

test('a tcp listener has its defaults, and everything that is written reaches its plan', () => {
  const place = { kind: 'tcp', host: '127.0.0.1', port: 1 };
  assert.deepEqual(listenerOf(withLayer4('protocol: tcp, service: a')), {
    ...place,
    trustedProxies: [],
    maxConnections: 10_000,
    service: 'a',
    sniServices: [],
    proxyProtocol: false,
    helloTimeoutMs: 10_000,
    idleTimeoutMs: 600_000,
  });
  const keys =
    'protocol: tcp, sni: { "*.B.c": a, B.c: a }, maxConnections: 5, trustedProxies: [loopback], proxyProtocol: true, timeouts: { hello: 1s, idle: 2s }';
  assert.deepEqual(listenerOf(withLayer4(keys)), {
    ...place,
    trustedProxies: ['127.0.0.0/8', '::1/128'],
    maxConnections: 5,
    service: undefined,
    sniServices: [
      { name: '*.b.c', service: 'a' },
      { name: 'b.c', service: 'a' },
    ],
    proxyProtocol: true,
    helloTimeoutMs: 1000,
    idleTimeoutMs: 2000,
  });
});

test('a udp listener has its defaults, and everything that is written reaches its plan', () => {
  const place = { kind: 'udp', host: '127.0.0.1', port: 1, trustedProxies: [], service: 'a' };
  assert.deepEqual(listenerOf(withLayer4('protocol: udp, service: a', 'udp://h:1')), {
    ...place,
    maxConnections: 10_000,
    idleTimeoutMs: 60_000,
    maxAnswers: 0,
  });
  const keys = 'protocol: udp, service: a, maxConnections: 5, maxAnswers: 3, timeouts: { idle: 2s }';
  assert.deepEqual(listenerOf(withLayer4(keys, 'udp://h:1')), {
    ...place,
    maxConnections: 5,
    idleTimeoutMs: 2000,
    maxAnswers: 3,
  });
});

test('HTTP/2 in the clear is there when it is asked for', () => {
  assert.equal(httpOf('maxConnections: 1').http2, undefined);
  assert.equal(httpOf('http2: false').http2, undefined);
  assert.deepEqual(httpOf('http2: true').http2, { maxStreams: 128, initialWindowBytes: 262_144 });
  assert.deepEqual(httpOf('http2: {}').http2, { maxStreams: 128, initialWindowBytes: 262_144 });
  assert.deepEqual(httpOf('http2: { maxStreams: 7, initialWindow: 1MiB }').http2, {
    maxStreams: 7,
    initialWindowBytes: 1024 ** 2,
  });
});

test('a redirect goes to 443 or to the port that is written', () => {
  assert.equal(httpOf('redirectToHttps: false').redirectToHttpsPort, undefined);
  assert.equal(httpOf('redirectToHttps: true').redirectToHttpsPort, 443);
  assert.equal(httpOf('redirectToHttps: 8443').redirectToHttpsPort, 8443);
});

test('PROXY headers are taken from trusted proxies', () => {
  assert.equal(httpOf('trustedProxies: [10.0.0.0/8]').proxyProtocol, false);
  assert.equal(httpOf('trustedProxies: [10.0.0.0/8], proxyProtocol: true').proxyProtocol, true);
});

test('tunnels go where they are allowed, at 443 unless written', () => {
  const allow = (targets: string) => {
    const plan = httpOf(`tunnel: { allow: [${targets}] }`).tunnel;
    return plan?.allow.map(
      ({ host, ports }) => `${host} ${ports.map(({ from, to }) => `${from}-${to}`).join(' ')}`,
    );
  };
  assert.deepEqual(allow('Example.com, "*.Example.com:443", "a:1-65535", "a:80,443,8000-8100"'), [
    'example.com 443-443',
    '*.example.com 443-443',
    'a 1-65535',
    'a 80-80 443-443 8000-8100',
  ]);
  assert.deepEqual(allow('10.0.0.0/8, "10.0.0.1:80", "[0:0::1]:80", "[fd00::]/8", "0.0.0.0/0:80"'), [
    '10.0.0.0/8 443-443',
    '10.0.0.1 80-80',
    '::1 80-80',
    'fd00::/8 443-443',
    '0.0.0.0/0 80-80',
  ]);
  assert.equal(httpOf('tunnel: false').tunnel, undefined);
});

test('tunnels have their limits, and of passwords only digests are kept', () => {
  assert.deepEqual(httpOf('tunnel: { allow: [a] }').tunnel, {
    allow: [{ host: 'a', ports: [{ from: 443, to: 443 }] }],
    auth: undefined,
    maxTunnels: 1000,
    connectTimeoutMs: 5000,
    idleTimeoutMs: 300_000,
  });
  const own = httpOf(
    'tunnel: { allow: [a], maxTunnels: 2, timeouts: { connect: 1s, idle: 2s }, auth: { me: pä:ss, __proto__: p } }',
  ).tunnel;
  assert.deepEqual(own, {
    allow: [{ host: 'a', ports: [{ from: 443, to: 443 }] }],
    auth: [
      { name: 'me', sha256: sha256('me:pä:ss') },
      { name: '__proto__', sha256: sha256('__proto__:p') },
    ],
    maxTunnels: 2,
    connectTimeoutMs: 1000,
    idleTimeoutMs: 2000,
  });
});

test('a password of a tunnel comes from the environment, and an empty one is refused', () => {
  const text = withListener(`tunnel: { allow: [a], auth: { me: "\${PASSWORD:-}" } }`);
  assert.ok(load(text, { PASSWORD: 'x' }).ok);
  assert.deepEqual(complaints(load(text)), ['1:72: me: is empty']);
});

test('what backends speak is of their URL and of the protocol of the service', () => {
  const protocols = (text: string) => serviceOf(text).backends.map(({ protocol }) => protocol);
  const two = (text: string) => text.replace('[http://h:1]', '[http://h:1, https://h:2]');
  assert.deepEqual(protocols(two(withService('protocol: http1'))), ['http', 'https']);
  assert.deepEqual(protocols(withService('protocol: h2c')), ['h2c']);
  assert.deepEqual(protocols(withService('protocol: h2').replace('http:', 'https:')), ['h2']);
  assert.deepEqual(protocols(`defaults: { protocol: h2c }\n${REST}`), ['h2c']);
  assert.deepEqual(protocols(`defaults: { protocol: h2c }\n${withLayer4('protocol: tcp, service: a')}`), [
    'tcp',
  ]);
  const dns = serviceOf(withLayer4('protocol: udp, service: a', 'udp://[::1]:53'));
  assert.deepEqual(dns.backends, [{ name: '[::1]:53', protocol: 'udp', host: '::1', port: 53, weight: 1 }]);
});

test('connections are probed by connecting, datagrams are not, unless the service says more', () => {
  const health = (listener: string, url: string, keys = '', defaults = '{}') =>
    serviceOf(`defaults: ${defaults}\n${withLayer4(listener, url, keys)}`).health;
  const tcp = (keys?: string, defaults?: string) =>
    health('protocol: tcp, service: a', 'tcp://h:1', keys, defaults);
  const udp = (keys?: string, defaults?: string) =>
    health('protocol: udp, service: a', 'udp://h:1', keys, defaults);
  assert.deepEqual(tcp()?.probe, { type: 'tcp' });
  const forHttp = tcp('', '{ health: { path: /h, interval: 1s } }');
  assert.deepEqual([forHttp?.probe, forHttp?.intervalMs], [{ type: 'tcp' }, 1000]);
  assert.equal(tcp('health: { path: /x }')?.probe.type, 'http');
  assert.equal(tcp('', '{ health: false }'), undefined);
  assert.equal(tcp('health: false'), undefined);
  assert.equal(udp(), undefined);
  assert.equal(udp('', '{ health: { path: /h } }'), undefined);
  const asked = udp('health: { rise: 1 }', '{ health: { interval: 1s } }');
  assert.deepEqual([asked?.probe, asked?.rise, asked?.intervalMs], [{ type: 'tcp' }, 1, 1000]);
});

test('a service of connections inherits nothing that is for requests', () => {
  const defaults = '{ sticky: {}, tls: { serverName: x.y }, protocol: h2c, pool: { maxConnections: 5 } }';
  const service = serviceOf(`defaults: ${defaults}\n${withLayer4('protocol: tcp, service: a')}`);
  assert.equal(service.sticky, undefined);
  assert.equal(service.tls.serverName, undefined);
  assert.equal(service.pool.maxConnections, 5);
});

test('connections that last are not held to the number that requests share', () => {
  const most = (keys: string) =>
    serviceOf(withLayer4('protocol: tcp, service: a', 'tcp://h:1', keys)).pool.maxConnections;
  assert.equal(most('balance: random'), 10_000);
  assert.equal(most('pool: { queue: 1 }'), 10_000);
  assert.equal(most('pool: { maxConnections: 20 }'), 20);
});

test('connections to tcp backends start with a PROXY header when asked for', () => {
  const header = (keys: string) =>
    serviceOf(withLayer4('protocol: tcp, service: a', 'tcp://h:1', keys)).sendProxyProtocol;
  assert.equal(header('sendProxyProtocol: v1'), 'v1');
  assert.equal(header('sendProxyProtocol: v2'), 'v2');
  assert.equal(header('sendProxyProtocol: false'), undefined);
  assert.equal(header('balance: random'), undefined);
});

test('a grpc probe asks for a service, or for the whole server', () => {
  const probe = (health: string, defaults = '{}') =>
    serviceOf(`defaults: ${defaults}\n${withService('protocol: h2c', `health: ${health}`)}`).health?.probe;
  assert.deepEqual(probe('{ type: grpc }'), { type: 'grpc', service: '' });
  assert.deepEqual(probe('{ service: x.Y }'), { type: 'grpc', service: 'x.Y' });
  assert.deepEqual(probe('{ type: grpc }', '{ health: { path: /x } }'), { type: 'grpc', service: '' });
  assert.deepEqual(probe('{ type: tcp }', '{ health: { service: x } }'), { type: 'tcp' });
  assert.deepEqual(probe('{ rise: 1 }', '{ health: { service: x } }'), { type: 'grpc', service: 'x' });
});

test('WebSockets of a route are as it says, over the defaults', () => {
  const [plain, own] = planOf(
    `defaults: { webSocket: { idle: 1m, ping: 30s } }\n${withRoutes(
      'path: /',
      'path: /b, webSocket: { maxConnections: 5, ping: 0 }',
    )}`,
  ).routes;
  assert.deepEqual(plain?.webSocket, { maxConnections: 10_000, idleMs: 60_000, pingMs: 30_000 });
  assert.deepEqual(own?.webSocket, { maxConnections: 5, idleMs: 60_000, pingMs: 0 });
});

test('an event stream has a silence of its own, of the service, the route and the defaults', () => {
  const plan = planOf(
    `defaults: { timeouts: { eventStream: 1m } }\n${withRoutes('path: /', 'path: /b, timeouts: { eventStream: 2m }')}`,
  );
  assert.equal(plan.services[0]?.timeouts.eventStreamMs, 60_000);
  assert.deepEqual(
    plan.routes.map(({ timeouts }) => timeouts.eventStreamMs),
    [undefined, 120_000],
  );
});

test('every file of a listener’s tls is watched', (t) => {
  t.plan(1);
  const certificates = [
    { cert: 'a.pem', key: 'a.key' },
    { cert: 'b.pem', key: 'a.key' },
  ];
  const listeners = [{ address: ':1' }, { address: ':2', tls: { certificates, clientCa: '/ca.pem' } }];
  const files = watchedFiles('/etc/portway/gw.yaml', { listeners });
  t.assert.deepEqual([...files].sort(), [
    '/ca.pem',
    '/etc/portway/a.key',
    '/etc/portway/a.pem',
    '/etc/portway/b.pem',
    '/etc/portway/gw.yaml',
  ]);
});
