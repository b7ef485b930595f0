import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { type RequestFacts, type RouteRule, Router } from '../../src/data/router.ts';

interface Sample {
  readonly host: string;
  readonly path: string;
  readonly method: string;
  readonly headers: ReadonlyMap<string, string>;
}

/** Few words, so that rules and requests meet often; some are names every object has. */
const segment = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('a', 'b') },
  { weight: 1, arbitrary: fc.constantFrom('ab', 'a%2Fb', '__proto__', 'constructor', '..a') },
);
const label = fc.constantFrom('a', 'b');
const method = fc.constantFrom('GET', 'HEAD', 'POST', 'OPTIONS');
const headerName = fc.constantFrom('x-a', 'x-b', '__proto__');
const headerValue = fc.constantFrom('1', '2');
const hostName = fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => labels.join('.'));
const path = fc.array(segment, { maxLength: 3 }).map((segments) => `/${segments.join('/')}`);

const rule: fc.Arbitrary<RouteRule> = fc.record({
  host: fc.oneof(
    fc.constant(undefined),
    hostName,
    hostName.map((host) => `*.${host}`),
  ),
  path,
  methods: fc.uniqueArray(method, { maxLength: 2 }),
  headers: fc.array(fc.record({ name: headerName, value: fc.option(headerValue, { nil: undefined }) }), {
    maxLength: 2,
  }),
});

const sample: fc.Arbitrary<Sample> = fc.record({
  host: fc.oneof(
    hostName,
    hostName.map((host) => `.${host}`),
    fc.constant(''),
  ),
  path: fc
    .tuple(path, fc.constantFrom('', '/', 'x'))
    .map(([start, end]) => (start === '/' ? start : start + end)),
  method,
  headers: fc.array(fc.tuple(headerName, headerValue), { maxLength: 3 }).map((pairs) => new Map(pairs)),
});

function factsOf(of: Sample): RequestFacts {
  return { method: of.method, header: (name) => of.headers.get(name) };
}

function hostMatches(host: string | undefined, of: string): boolean {
  if (host === undefined || host === of) return true;
  return host.startsWith('*.') && of.endsWith(host.slice(1)) && of.length >= host.length;
}

function matchesButMethod(candidate: RouteRule, of: Sample): boolean {
  return (
    hostMatches(candidate.host, of.host) &&
    (candidate.path === '/' || of.path === candidate.path || of.path.startsWith(`${candidate.path}/`)) &&
    candidate.headers.every(({ name, value }) => {
      const actual = of.headers.get(name);
      return actual !== undefined && (value === undefined || value === actual);
    })
  );
}

function methodMatches({ methods }: RouteRule, wanted: string): boolean {
  return methods.length === 0 || methods.includes(wanted) || (wanted === 'HEAD' && methods.includes('GET'));
}

/** As a tuple to be compared from the left, greater is better. */
function rank({ host, path: prefix, headers, methods }: RouteRule): readonly number[] {
  const ofHost = host === undefined ? 0 : host.startsWith('*.') ? host.length : Number.MAX_SAFE_INTEGER;
  return [ofHost, prefix.length, headers.length, Math.sign(methods.length)];
}

function compareRank(a: RouteRule, b: RouteRule): number {
  const ofA = rank(a);
  return rank(b).reduce((decided, value, i) => (decided !== 0 ? decided : value - (ofA[i] ?? 0)), 0);
}

/** The rules as the docs tell them, in the slowest way. */
function expectedRoute(rules: readonly RouteRule[], of: Sample): number | undefined {
  const [best] = rules
    .filter((candidate) => matchesButMethod(candidate, of) && methodMatches(candidate, of.method))
    .sort(compareRank);
  return best === undefined ? undefined : rules.indexOf(best);
}

function expectedMethods(rules: readonly RouteRule[], of: Sample): readonly string[] {
  if (expectedRoute(rules, of) !== undefined) return [];
  const methods = rules
    .filter((candidate) => matchesButMethod(candidate, of))
    .flatMap((found) => found.methods);
  if (methods.includes('GET')) methods.push('HEAD');
  return [...new Set(methods)].sort();
}

suite('for any routes and any request', () => {
  const rules = fc.array(rule, { maxLength: 12 });
  const samples = fc.array(sample, { minLength: 1, maxLength: 8 });

  test('the route is the one that filtering and sorting finds', () => {
    let found = 0;
    fc.assert(
      fc.property(rules, samples, (given, asked) => {
        const router = new Router(given.map((entry, value) => ({ rule: entry, value })));
        for (const of of asked) {
          const expected = expectedRoute(given, of);
          if (expected !== undefined) found++;
          assert.equal(router.find(of.host, of.path, factsOf(of)), expected);
        }
      }),
      { numRuns: 2000 },
    );
    assert.ok(found > 1000, `${found} samples meet rules`);
  });

  test('the methods allowed are those of routes that fail by the method alone', () => {
    let told = 0;
    fc.assert(
      fc.property(rules, samples, (given, asked) => {
        const router = new Router(given.map((entry, value) => ({ rule: entry, value })));
        for (const of of asked) {
          const expected = expectedMethods(given, of);
          if (expected.length > 0) told++;
          assert.deepEqual(router.allowedMethods(of.host, of.path, factsOf(of)), expected);
        }
      }),
      { numRuns: 1000 },
    );
    assert.ok(told > 100, `${told} samples meet rules`);
  });
});
