import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { RoutePlan } from '../../src/data/plan.ts';
import { type RequestFacts, type RouteRule, Router } from '../../src/data/router.ts';

function rule(parts: Partial<RouteRule>): RouteRule {
  return { host: undefined, path: '/', methods: [], headers: [], ...parts };
}

/** Each route's value is its key. */
function routerOf(rules: Readonly<Record<string, Partial<RouteRule>>>): Router<string> {
  return new Router(Object.entries(rules).map(([value, parts]) => ({ rule: rule(parts), value })));
}

function request(method = 'GET', headers: Readonly<Record<string, string>> = {}): RequestFacts {
  return { method, header: (name) => (Object.hasOwn(headers, name) ? headers[name] : undefined) };
}

suite('the path of a route', () => {
  const router = routerOf({
    root: { path: '/' },
    db: { path: '/db' },
    dbAdmin: { path: '/db/admin' },
    proto: { path: '/__proto__' },
    deep: { path: '/constructor/toString/hasOwnProperty' },
    upper: { path: '/DB' },
    slash: { path: '/a%2Fb' },
  });
  const cases: readonly (readonly [string, string])[] = [
    ['/', 'root'],
    ['/db', 'db'],
    ['/db/', 'db'],
    ['/db/1', 'db'],
    ['/dbx', 'root'],
    ['/dbx/db', 'root'],
    ['/d', 'root'],
    ['/db;v=1', 'root'],
    ['/x/db', 'root'],
    ['/db/admin', 'dbAdmin'],
    ['/db/admin/x/y', 'dbAdmin'],
    ['/db/administrator', 'db'],
    ['/db/adm', 'db'],
    ['/DB/1', 'upper'],
    ['/Db/1', 'root'],
    ['/__proto__', 'proto'],
    ['/__proto__/x', 'proto'],
    ['/constructor', 'root'],
    ['/constructor/toString', 'root'],
    ['/constructor/toString/hasOwnProperty/x', 'deep'],
    ['/toString', 'root'],
    ['/a%2Fb/c', 'slash'],
    ['/a/b', 'root'],
  ];
  for (const [path, expected] of cases) {
    test(`${path} goes to ${expected}`, () => assert.equal(router.find('h', path, request()), expected));
  }

  test('has no route when none fits', () => {
    const only = routerOf({ db: { path: '/db' } });
    assert.equal(only.find('h', '/', request()), undefined);
    assert.equal(only.find('h', '/files', request()), undefined);
    assert.equal(new Router<string>([]).find('h', '/', request()), undefined);
  });

  test('is found among 10 000 others, and so is each of them', () => {
    const paths = Array.from({ length: 10_000 }, (_, i) => `/${'x'.repeat(i % 7)}team${i % 97}/svc${i}`);
    const many = new Router(paths.map((path, value) => ({ rule: rule({ path }), value })));
    paths.forEach((path, value) => {
      assert.equal(many.find('h', path, request()), value);
      assert.equal(many.find('h', `${path}/more`, request()), value);
      assert.equal(many.find('h', `${path}x`, request()), undefined);
    });
  });
});

suite('the host of a route', () => {
  const router = routerOf({
    any: {},
    wild: { host: '*.example.com' },
    longerWild: { host: '*.eu.example.com' },
    exact: { host: 'www.example.com' },
    exactUnderWild: { host: 'a.eu.example.com', path: '/only' },
    wildDeepPath: { host: '*.eu.example.com', path: '/only/here' },
    anyDeepPath: { path: '/very/long/path/indeed' },
    proto: { host: '__proto__' },
    six: { host: '[::1]' },
  });
  const cases: readonly (readonly [string, string, string])[] = [
    ['www.example.com', '/', 'exact'],
    ['www.example.com', '/very/long/path/indeed', 'exact'],
    ['other.example.com', '/', 'wild'],
    ['a.b.c.example.com', '/', 'wild'],
    ['x.www.example.com', '/', 'wild'],
    ['example.com', '/', 'any'],
    ['.example.com', '/', 'any'],
    ['notexample.com', '/', 'any'],
    ['example.com.evil.org', '/', 'any'],
    ['eu.example.com', '/', 'wild'],
    ['x.eu.example.com', '/', 'longerWild'],
    ['y.x.eu.example.com', '/', 'longerWild'],
    ['a.eu.example.com', '/only', 'exactUnderWild'],
    ['a.eu.example.com', '/only/here', 'exactUnderWild'],
    ['b.eu.example.com', '/only/here', 'wildDeepPath'],
    ['a.eu.example.com', '/', 'longerWild'],
    ['', '/', 'any'],
    ['constructor', '/', 'any'],
    ['__proto__', '/', 'proto'],
    ['[::1]', '/', 'six'],
    [`${'a.'.repeat(4000)}example.com`, '/', 'wild'],
    [`${'example.com.'.repeat(700)}org`, '/', 'any'],
  ];
  for (const [host, path, expected] of cases) {
    test(`${host.slice(0, 40)}${path} goes to ${expected}`, () => {
      assert.equal(router.find(host, path, request()), expected);
    });
  }
});

suite('the method of a route', () => {
  const router = routerOf({
    read: { path: '/db', methods: ['GET', 'OPTIONS'] },
    write: { path: '/db', methods: ['POST', 'PUT'] },
    admin: { path: '/db/admin', methods: ['DELETE'] },
  });

  test('chooses among routes of one path', () => {
    assert.equal(router.find('h', '/db', request('GET')), 'read');
    assert.equal(router.find('h', '/db', request('PUT')), 'write');
  });

  test('GET takes HEAD along, but nothing else does', () => {
    assert.equal(router.find('h', '/db', request('HEAD')), 'read');
    const writeOnly = routerOf({ write: { methods: ['POST'] } });
    assert.equal(writeOnly.find('h', '/', request('HEAD')), undefined);
    const headOnly = routerOf({ head: { methods: ['HEAD'] } });
    assert.equal(headOnly.find('h', '/', request('GET')), undefined);
  });

  test('is compared as it is written', () => {
    assert.equal(router.find('h', '/db', request('get')), undefined);
  });

  test('when it fails, a shorter path has its turn', () => {
    assert.equal(router.find('h', '/db/admin', request('POST')), 'write');
  });

  test('when only it fails, the methods that would do are told', () => {
    assert.equal(router.find('h', '/db', request('DELETE')), undefined);
    assert.deepEqual(router.allowedMethods('h', '/db', request('DELETE')), [
      'GET',
      'HEAD',
      'OPTIONS',
      'POST',
      'PUT',
    ]);
    assert.deepEqual(router.allowedMethods('h', '/db/admin', request('PATCH')), [
      'DELETE',
      'GET',
      'HEAD',
      'OPTIONS',
      'POST',
      'PUT',
    ]);
  });

  test('no methods are told when the request has a route, or fails by more than its method', () => {
    assert.deepEqual(router.allowedMethods('h', '/db', request('GET')), []);
    assert.deepEqual(router.allowedMethods('h', '/other', request('DELETE')), []);
    const guarded = routerOf({ a: { methods: ['GET'], headers: [{ name: 'x-a', value: '1' }] } });
    assert.deepEqual(guarded.allowedMethods('h', '/', request('POST')), []);
    assert.deepEqual(guarded.allowedMethods('h', '/', request('POST', { 'x-a': '1' })), ['GET', 'HEAD']);
  });

  test('methods are told from every host that fits', () => {
    const hosts = routerOf({
      exact: { host: 'a.b.c', methods: ['GET'] },
      wild: { host: '*.b.c', methods: ['PUT'] },
      wilder: { host: '*.c', methods: ['PATCH'] },
      other: { host: '*.d', methods: ['LOCK'] },
      any: { methods: ['POST'] },
    });
    const expected = ['GET', 'HEAD', 'PATCH', 'POST', 'PUT'];
    assert.deepEqual(hosts.allowedMethods('a.b.c', '/', request('DELETE')), expected);
    assert.deepEqual(hosts.allowedMethods('z', '/', request('DELETE')), ['POST']);
  });
});

suite('the headers of a route', () => {
  const router = routerOf({
    plain: {},
    anyTenant: { headers: [{ name: 'x-tenant', value: undefined }] },
    gold: {
      headers: [
        { name: 'x-tenant', value: 'gold' },
        { name: 'x-beta', value: undefined },
      ],
    },
    proto: { path: '/p', headers: [{ name: '__proto__', value: undefined }] },
  });
  const cases: readonly (readonly [string, Readonly<Record<string, string>>, string])[] = [
    ['/', {}, 'plain'],
    ['/', { 'x-tenant': 'silver' }, 'anyTenant'],
    ['/', { 'x-tenant': '' }, 'anyTenant'],
    ['/', { 'x-tenant': 'gold' }, 'anyTenant'],
    ['/', { 'x-tenant': 'gold', 'x-beta': '' }, 'gold'],
    ['/', { 'x-tenant': 'Gold', 'x-beta': '' }, 'anyTenant'],
    ['/', { 'x-beta': '1' }, 'plain'],
    ['/p', {}, 'plain'],
  ];
  for (const [path, headers, expected] of cases) {
    test(`${path} with ${JSON.stringify(headers)} goes to ${expected}`, () => {
      assert.equal(router.find('h', path, request('GET', headers)), expected);
    });
  }
});

suite('the order of routes', () => {
  const header = { name: 'x', value: undefined };
  const withHeader = request('GET', { x: '1' });

  test('header conditions come before methods, methods before none', () => {
    const router = routerOf({
      none: {},
      method: { methods: ['GET'] },
      header: { headers: [header] },
      both: { headers: [header], methods: ['GET'] },
    });
    assert.equal(router.find('h', '/', withHeader), 'both');
    assert.equal(router.find('h', '/', request('POST', { x: '1' })), 'header');
    assert.equal(router.find('h', '/', request('GET')), 'method');
    assert.equal(router.find('h', '/', request('POST')), 'none');
  });

  test('a longer path comes before header conditions, and a host before a longer path', () => {
    const router = routerOf({
      header: { headers: [header] },
      path: { path: '/a' },
      host: { host: 'h' },
    });
    assert.equal(router.find('x', '/a', withHeader), 'path');
    assert.equal(router.find('h', '/a', withHeader), 'host');
  });

  test('what is left is decided by the place in the config', () => {
    const router = routerOf({ first: { methods: ['GET', 'PUT'] }, second: { methods: ['GET'] } });
    assert.equal(router.find('h', '/', request()), 'first');
  });
});

suite('a router', () => {
  test('is not changed by later changes to the rules it was made of', () => {
    const methods = ['GET'];
    const headers = [{ name: 'x', value: '1' }];
    const entries = [{ rule: rule({ methods, headers }), value: 'a' }];
    const router = new Router(entries);
    methods.push('POST');
    headers.length = 0;
    entries.length = 0;
    assert.equal(router.find('h', '/', request('POST', { x: '1' })), undefined);
    assert.equal(router.find('h', '/', request('GET')), undefined);
    assert.equal(router.find('h', '/', request('GET', { x: '1' })), 'a');
  });

  test('takes the routes of a plan', () => {
    const plan: Pick<RoutePlan, 'host' | 'path' | 'methods' | 'headers'> = rule({ path: '/db' });
    assert.equal(new Router([{ rule: plan, value: 1 }]).find('h', '/db/x', request()), 1);
  });

  test('asks about no header and makes few lookups for a path of 4000 segments', () => {
    let asked = 0;
    const facts: RequestFacts = { method: 'GET', header: () => void asked++ };
    const router = routerOf({
      a: { path: '/a/a/a', headers: [{ name: 'x', value: undefined }] },
      b: { path: '/a' },
    });
    assert.equal(router.find('h', '/a'.repeat(4000), facts), 'b');
    assert.equal(asked, 1);
  });
});
