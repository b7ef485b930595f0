import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EMBEDDED_CONFIG } from '../../src/control/config/embedded.ts';
import type { LoadedConfig } from '../../src/control/config/load.ts';
import { complaints, load } from './loading.ts';
import { REST } from './problem-table.ts';

const WORDS = [
  ...[
    'services',
    'routes',
    'listeners',
    'defaults',
    'admin',
    'redis',
    'backends',
    'path',
    'service',
    'address',
  ],
  ...[
    'pool',
    'retry',
    'hedge',
    'concurrency',
    'health',
    'breaker',
    'drain',
    'hash',
    'sticky',
    'timeouts',
    'methods',
    'headers',
    'requestHeaders',
    'protocol',
    'tcp',
    'udp',
    'h2c',
    'sni',
    'tls',
    'certificates',
    'cert',
    'hsts',
    'http2',
    'tunnel',
    'allow',
    'auth',
    'webSocket',
    'set',
    '__proto__',
    'toString',
  ],
  ...[
    ': ',
    '\n',
    '\n  ',
    '\n    - ',
    '- ',
    '{ ',
    ' }',
    '[',
    ']',
    ', ',
    '"',
    "'",
    '&a ',
    '*a',
    '<<',
    '!!str ',
    '| ',
    '#',
  ],
  ...[
    'http://h:1',
    '/',
    'a',
    '5s',
    'p95',
    'redis://h',
    '10MiB',
    '250',
    'true',
    'null',
    '~',
    '0x1F',
    '.inf',
    `\${A}`,
    `\${B:-1}`,
    '\t',
    '\r\n',
  ],
  ...['---\n', '%YAML 1.1\n', '\ufeff', '\ud800', '\0'],
];

function assertPlaces(text: string, loaded: LoadedConfig): void {
  const lines = text.split('\n');
  for (const { line, column, message } of loaded.ok ? loaded.warnings : loaded.problems) {
    const found = lines[line - 1];
    assert.ok(
      found !== undefined && column >= 1 && column <= found.length + 1,
      `${line}:${column} ${message}`,
    );
    assert.ok(message.length > 0 && !message.includes('\n'));
  }
  if (!loaded.ok) assert.ok(loaded.problems.some(({ severity }) => severity === 'error'));
}

test('any text is loaded or refused, never thrown at, and every problem stands inside the file', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => assertPlaces(text, load(text))),
    { numRuns: 300 },
  );
});

test('so is any text made of the words of a config', () => {
  const text = fc.array(fc.constantFrom(...WORDS), { maxLength: 40 }).map((words) => words.join(''));
  fc.assert(
    fc.property(text, (piece) => {
      assertPlaces(piece, load(piece, { A: 'x' }));
      const whole = `${piece}\n${REST}`;
      assertPlaces(whole, load(whole, { A: 'x' }));
    }),
    { numRuns: 500 },
  );
});

test('so is a good config with a piece of it changed', () => {
  const change = fc.record({
    at: fc.nat(EMBEDDED_CONFIG.length),
    removed: fc.nat(12),
    inserted: fc.constantFrom(...WORDS),
  });
  fc.assert(
    fc.property(change, ({ at, removed, inserted }) => {
      const text = EMBEDDED_CONFIG.slice(0, at) + inserted + EMBEDDED_CONFIG.slice(at + removed);
      assertPlaces(text, load(text));
    }),
    { numRuns: 500 },
  );
});

test('no secret is ever shown, wherever it was put by mistake', () => {
  const secret = 'hunter2';
  const shapes = [
    (value: string) => `admin: { token: ${value} }`,
    (value: string) => `admin: { token: [${value}] }`,
    (value: string) => `admin: ${value}`,
    (value: string) => `redis: { url: ${value} }`,
    (value: string) => `redis: { url: [${value}] }`,
    (value: string) => `redis: ${value}`,
    (value: string) => `routes: [{ path: /, requestHeaders: { set: { Authorization: ${value} } } }]`,
    (value: string) => `routes: [{ path: /, requestHeaders: { set: ${value} } }]`,
    (value: string) => `services: { s: { health: { headers: { Authorization: ${value} } } } }`,
    (value: string) => `listeners: [{ address: ":1", tunnel: { allow: [a], auth: { u: ${value} } } }]`,
    (value: string) => `listeners: [{ address: ":1", tunnel: { allow: [a], auth: ${value} } }]`,
  ];
  const values = [
    'redis://u:hunter2@h:x',
    'rediss://u:hunter2@',
    'redis://hunter2@h',
    'redis://u:%hunter2@h',
    'redis://u:hunter2/x@h:1',
    'redis://u:hunter2,h:1,@h',
    'redis+sentinel://u:hunter2@h:1,h:2',
    'redis+cluster://u:hunter2@h:1/4',
    'http://u:hunter2@h/p',
    '"http://u:hun/hunter2@h"',
    'u:hunter2@h',
    '//hunter2@h',
  ];
  const bare = [
    'hunter2',
    '"hunter2\\n"',
    '*hunter2',
    '&hunter2 [1]',
    '!hunter2 1',
    '|hunter2',
    '"hunter2',
    '[hunter2',
    '{ hunter2',
    'a: b: hunter2',
    `"\${X:-\${hunter2}}"`,
  ];
  const urlShapes = [
    (value: string) => `services: { s: { backends: [${value}] } }`,
    (value: string) => `services: { s: { backends: [{ url: ${value} }] } }`,
    (value: string) => `listeners: [{ address: ${value}, trustedProxies: [${value}] }]`,
    (value: string) => `routes: [{ path: ${value}, host: ${value}, service: ${value} }]`,
  ];
  for (const shape of [...shapes, ...urlShapes]) {
    // A bare word where a URL belongs is no secret; what looks like a URL with a password is.
    const isUrlList = !shapes.includes(shape);
    for (const value of isUrlList ? values : [...values, ...bare]) {
      // The names of variables, unlike their values, are shown.
      const shown = complaints(load(`${shape(value)}\n`)).filter(
        (line) => !line.includes('defaults cannot be nested'),
      );
      assert.ok(!shown.some((line) => line.includes(secret)), `${shape(value)}\n${shown.join('\n')}`);
    }
  }
});
