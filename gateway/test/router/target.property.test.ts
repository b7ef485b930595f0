import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { Router } from '../../src/data/router.ts';
import { canonicalHost, canonicalPath, joinRewrite, needsReading } from '../../src/data/target.ts';

/** What attackers build paths of. */
const atom = fc.constantFrom(
  ...[
    'a',
    'b',
    '%61',
    '%2e',
    '%2E',
    '.',
    '..',
    '...',
    '%2f',
    '%2F',
    '%5c',
    '%5C',
    '/',
    ';',
    '..;',
    '%3b',
    '@',
    '%40',
  ],
  ...['%252f', '%252e', '%25', '%20', '%C3%A9', '%3f', '%23'],
);
const refusedAtom = fc.constantFrom('%c0%af', '%C0%AE', '%00', '%7f', '\\', '#', '?', '%', '%2', '\u00e9');
const plainSegment = fc.constantFrom(
  'a',
  'b',
  'x',
  'a',
  'b',
  '%61',
  '%62',
  '@',
  '',
  '.',
  '..',
  'a%2Fb',
  'a%2fx',
  'x%5Ca',
);
const attackSegment = fc.array(atom, { minLength: 1, maxLength: 4 }).map((atoms) => atoms.join(''));
const rawPath = fc
  .array(
    fc.oneof(
      { weight: 24, arbitrary: plainSegment },
      { weight: 4, arbitrary: attackSegment },
      { weight: 1, arbitrary: refusedAtom },
    ),
    { maxLength: 5 },
  )
  .map((segments) => `/${segments.join('/')}`);

const latin1 = fc
  .array(fc.integer({ min: 0, max: 255 }), { maxLength: 12 })
  .map((bytes) => String.fromCharCode(...bytes));

/** Paths a config may hold: those with one reading only. */
const routeSegment = fc.constantFrom(
  'a',
  'b',
  'x',
  'aa',
  'ab',
  '@',
  ';',
  'a;b',
  'b%20',
  '%C3%A9',
  '%252f',
  '%3F',
);
const routePath = fc
  .array(routeSegment, { minLength: 1, maxLength: 3 })
  .map((segments) => `/${segments.join('/')}`);

interface Backend {
  readonly name: string;
  readonly decode: (path: string) => string;
  readonly separator: RegExp;
  readonly dots: 'kept' | 'resolved with empty segments' | 'resolved without empty segments';
  readonly cutsParameters: boolean;
}

function latin1Decode(pattern: RegExp): (path: string) => string {
  return (path) =>
    path.replace(pattern, (encoded) => String.fromCharCode(Number.parseInt(encoded.slice(1), 16)));
}

const DECODERS: Readonly<Record<string, (path: string) => string>> = {
  nothing: (path) => path,
  everything: latin1Decode(/%[0-9a-f]{2}/gi),
  slashes: latin1Decode(/%2f/gi),
  'all but slashes': latin1Decode(/%(?!2f|5c)[0-9a-f]{2}/gi),
};

const BACKENDS: readonly Backend[] = Object.entries(DECODERS).flatMap(([name, decode]) =>
  [/\//, /[/\\]/].flatMap((separator) =>
    (['kept', 'resolved with empty segments', 'resolved without empty segments'] as const).flatMap((dots) =>
      [false, true].map((cutsParameters) => ({
        name: `decodes ${name}, splits at ${separator.source}, dots ${dots}${cutsParameters ? ', cuts ;' : ''}`,
        decode,
        separator,
        dots,
        cutsParameters,
      })),
    ),
  ),
);

/** The segments this backend goes by; undefined when it would go above its root. */
function segmentsSeen(backend: Backend, path: string): readonly string[] | undefined {
  const kept: string[] = [];
  for (const segment of backend.decode(path).split(backend.separator).slice(1)) {
    // Dots are told apart from other segments after parameters are cut, as Tomcat does; other segments keep theirs.
    const bare = backend.cutsParameters ? segment.replace(/;.*/, '') : segment;
    const isDot = backend.dots !== 'kept' && (bare === '.' || bare === '..');
    if (isDot && bare === '..' && kept.pop() === undefined) return undefined;
    if (isDot || (segment === '' && backend.dots !== 'resolved with empty segments')) continue;
    kept.push(segment);
  }
  return kept.filter((segment) => segment !== '');
}

/** The longest of `routes` that is a prefix of what the backend sees, read with the backend's own eyes. */
function routeSeen(backend: Backend, path: string, routes: readonly string[]): string | undefined {
  const seen = segmentsSeen(backend, path);
  if (seen === undefined) return undefined;
  const fitting = routes.filter((route) =>
    route
      .split('/')
      .slice(1)
      .filter((segment) => segment !== '')
      .every((segment, i) => backend.decode(segment) === seen[i]),
  );
  return fitting.sort((a, b) => b.length - a.length)[0];
}

suite('for any path', () => {
  test('its canonical form is its own, without empty or dot segments, in visible ASCII', () => {
    fc.assert(
      fc.property(rawPath, (raw) => {
        const reading = canonicalPath(raw);
        if (!reading.ok) return;
        assert.deepEqual(canonicalPath(reading.path), reading);
        for (const path of [reading.path, reading.decoded ?? '/']) {
          assert.match(path, /^\/[!-~]*$/);
          assert.doesNotMatch(path, /\/\/|\/\.\.?(?:[/;]|$)|[\\#?]/);
        }
        assert.doesNotMatch(reading.path, /%(?:[46][1-9A-F]|[57][0-9A]|3[0-9]|2[DE]|5F|7E|[a-f]|.[a-f])/);
      }),
      { numRuns: 5000 },
    );
  });

  test('the second reading has no third', () => {
    fc.assert(
      fc.property(rawPath, (raw) => {
        const reading = canonicalPath(raw);
        if (!reading.ok || reading.decoded === undefined) return;
        assert.notEqual(reading.decoded, reading.path);
        assert.deepEqual(canonicalPath(reading.decoded), {
          ok: true,
          path: reading.decoded,
          decoded: undefined,
        });
      }),
      { numRuns: 5000 },
    );
  });

  test('one that needs no reading is canonical', () => {
    fc.assert(
      fc.property(fc.oneof(rawPath, latin1), (raw) => {
        if (needsReading(raw)) return;
        assert.match(raw, /^\/[^%\\#?]*$/);
        assert.doesNotMatch(raw, /\/\/|\/\.\.?(?:[/;]|$)|[^!-~]/);
        assert.deepEqual(canonicalPath(raw), { ok: true, path: raw, decoded: undefined });
      }),
    );
  });

  test('no backend, however it decodes, is asked for the path of another route', () => {
    let compared = 0;
    let withSecondReading = 0;
    const facts = { method: 'GET', header: () => undefined };
    fc.assert(
      fc.property(fc.uniqueArray(routePath, { minLength: 4, maxLength: 8 }), rawPath, (paths, raw) => {
        const routes = ['/', ...paths.filter((path) => path !== '/')];
        const router = new Router(
          routes.map((path) => ({ rule: { host: undefined, path, methods: [], headers: [] }, value: path })),
        );
        const reading = canonicalPath(raw);
        if (!reading.ok) return;
        const route = router.find('h', reading.path, facts);
        if (reading.decoded !== undefined && router.find('h', reading.decoded, facts) !== route) return;
        if (reading.decoded !== undefined) withSecondReading++;
        if (route !== '/') compared++;
        for (const backend of BACKENDS) {
          assert.equal(routeSeen(backend, reading.path, routes), route, `${reading.path}: ${backend.name}`);
        }
      }),
      { numRuns: 5000 },
    );
    assert.ok(
      compared > 100 && withSecondReading > 100,
      `${compared}, ${withSecondReading} get through to be compared`,
    );
  });

  test('a rewritten one stays canonical and below the rewrite', () => {
    const clean = fc.array(fc.constantFrom('a', 'b', 'x%2Fy'), { maxLength: 4 });
    const canonical = fc
      .tuple(clean, fc.boolean())
      .map(([parts, slash]) => `/${parts.join('/')}${slash && parts.length > 0 ? '/' : ''}`);
    fc.assert(
      fc.property(clean, canonical, canonical, (prefixParts, tail, rewrite) => {
        const prefix = `/${prefixParts.join('/')}`;
        const full = prefix === '/' ? tail : prefix + tail;
        for (const path of prefix === '/' ? [full] : [full, prefix]) {
          const joined = joinRewrite(path, prefix.length, rewrite);
          assert.ok(joined.startsWith(rewrite), joined);
          assert.doesNotMatch(joined, /\/\//);
          assert.ok(path === prefix || joined.endsWith(tail), joined);
        }
      }),
    );
  });
});

test('the canonical host of any host is its own', () => {
  const label = fc.constantFrom('a', 'B', 'example', 'COM', '10');
  const name = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'));
  const host = fc.tuple(
    fc.oneof(name, fc.constantFrom('[::1]', '[2001:DB8::A]')),
    fc.constantFrom('', '.'),
    fc.constantFrom('', ':', ':80'),
  );
  fc.assert(
    fc.property(host, ([given, dot, port]) => {
      const raw = given + (given.startsWith('[') ? '' : dot) + port;
      assert.equal(canonicalHost(raw), given.toLowerCase());
      assert.equal(canonicalHost(given.toLowerCase()), given.toLowerCase());
    }),
  );
});
