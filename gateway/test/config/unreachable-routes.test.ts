import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { RouteMatch } from '../../src/control/config/route-match.ts';
import { unreachableRoutes } from '../../src/control/config/unreachable-routes.ts';
import { Router } from '../../src/data/router.ts';

const METHODS = ['GET', 'HEAD', 'PUT'];
const HEADERS = ['x-a', 'x-b'];
/** `other` stands for every value that no route names. */
const VALUES = ['1', '2', 'other'];

const header = fc.record({ name: fc.constantFrom(...HEADERS), value: fc.constantFrom('1', '2', undefined) });
const route: fc.Arbitrary<RouteMatch> = fc.record({
  host: fc.constantFrom(undefined, 'a.b', '*.b'),
  path: fc.constantFrom('/', '/x'),
  methods: fc.subarray(METHODS),
  headers: fc.uniqueArray(header, { selector: ({ name }) => name, maxLength: 2 }),
});

interface Request {
  readonly host: string;
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
}

function everyRequest(): readonly Request[] {
  const requests: Request[] = [];
  const values = [undefined, ...VALUES];
  for (const host of ['a.b', 'c.b', 'd'])
    for (const path of ['/', '/x/y'])
      for (const method of [...METHODS, 'POST'])
        for (const a of values)
          for (const b of values) {
            const headers = {
              ...(a === undefined ? {} : { 'x-a': a }),
              ...(b === undefined ? {} : { 'x-b': b }),
            };
            requests.push({ host, path, method, headers });
          }
  return requests;
}

test('a route is called unreachable only when no request reaches it', () => {
  const requests = everyRequest();
  fc.assert(
    fc.property(fc.array(route, { maxLength: 6 }), (routes) => {
      const router = new Router(routes.map((rule, index) => ({ rule, value: index })));
      const reached = new Set(
        requests.map(({ host, path, method, headers }) =>
          router.find(host, path, { method, header: (name) => headers[name] }),
        ),
      );
      for (const { index, by } of unreachableRoutes(routes)) {
        assert.ok(!reached.has(index));
        assert.ok(by.length > 0 && by.every((earlier) => earlier < index));
      }
    }),
  );
});

test('a route that repeats host, path and conditions of an earlier one is always found', () => {
  fc.assert(
    fc.property(fc.array(route, { minLength: 1, maxLength: 5 }), fc.nat(), (routes, pick) => {
      const twin = routes[pick % routes.length];
      const found = unreachableRoutes([...routes, ...(twin === undefined ? [] : [twin])]);
      assert.ok(found.some(({ index }) => index === routes.length));
    }),
  );
});

test('ten thousand routes with eight conditions each are compared without comparing each with each', () => {
  const routes = Array.from({ length: 10_000 }, (_, index) => ({
    host: undefined,
    path: '/',
    methods: [],
    headers: Array.from({ length: 8 }, (_, place) => ({
      name: `x-${place}`,
      value: index === 0 && place === 0 ? undefined : String((index >> place) & 7),
    })),
  }));
  assert.ok(unreachableRoutes(routes).length > 0);
});
