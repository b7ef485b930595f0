import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Compile } from 'typebox/schema';
import { parse } from 'yaml';
import { EMBEDDED_CONFIG } from '../../src/control/config/embedded.ts';
import { FORMATS } from '../../src/control/config/formats.ts';
import { configJsonSchema } from '../../src/control/config/json-schema.ts';
import { ConfigSchema } from '../../src/control/config/schema.ts';
import { CONTROL_CASES } from './cases-control.ts';
import { LOG_CASES } from './cases-logs.ts';
import { PROTOCOL_LISTENER_CASES } from './cases-protocol-listeners.ts';
import { PROTOCOL_SERVICE_CASES } from './cases-protocol-services.ts';
import { RESILIENCE_CASES } from './cases-resilience.ts';
import { ROUTE_CASES } from './cases-routes.ts';
import { SERVICE_CASES } from './cases-services.ts';
import { load } from './loading.ts';

/** The vocabulary of draft-07 that may occur. */
const KEYWORDS = new Set([
  ...[
    '$schema',
    '$ref',
    'title',
    'description',
    'default',
    'definitions',
    'type',
    'enum',
    'const',
    'anyOf',
    'pattern',
  ],
  ...[
    'minLength',
    'maxLength',
    'minimum',
    'maximum',
    'items',
    'minItems',
    'maxItems',
    'properties',
    'required',
    'patternProperties',
  ],
  ...['additionalProperties', 'minProperties', 'maxProperties'],
]);

type Node = Readonly<Record<string, unknown>>;

function subschemas(node: Node): readonly Node[] {
  const maps = [node['properties'], node['patternProperties'], node['definitions']];
  const inner = [
    ...maps.flatMap((map) => (map === undefined ? [] : Object.values(map as Record<string, Node>))),
    ...((node['anyOf'] ?? []) as readonly Node[]),
    ...(node['items'] === undefined ? [] : [node['items'] as Node]),
  ];
  return [node, ...inner.flatMap(subschemas)];
}

const schema = configJsonSchema();
const accepts = (text: string): boolean => Compile(schema).Check(parse(text, { uniqueKeys: false }));

test('the JSON Schema uses draft-07 words only, and its patterns and references are good', () => {
  assert.equal(schema['$schema'], 'http://json-schema.org/draft-07/schema#');
  for (const node of subschemas(schema)) {
    for (const key of Object.keys(node)) assert.ok(KEYWORDS.has(key), key);
    if (typeof node['pattern'] === 'string') new RegExp(node['pattern'], 'u');
    if (node['$ref'] !== undefined) assert.equal(node['$ref'], '#/definitions/fromEnvironment');
    const properties = Object.keys((node['properties'] ?? {}) as Node);
    for (const key of (node['required'] ?? []) as readonly string[]) assert.ok(properties.includes(key), key);
  }
});

test('every key is described', () => {
  for (const node of subschemas(schema)) {
    for (const [key, value] of Object.entries((node['properties'] ?? {}) as Record<string, Node>)) {
      assert.ok(typeof value['description'] === 'string' && value['description'] !== '', key);
    }
  }
});

test('every format that the schema names has its check', () => {
  const plain = JSON.parse(JSON.stringify(ConfigSchema)) as Node;
  const named = new Set<string>();
  for (const node of subschemas(plain)) {
    if (typeof node['format'] === 'string') named.add(node['format']);
    const names = node['propertyNames'] as { format?: string } | undefined;
    if (names?.format !== undefined) named.add(names.format);
  }
  assert.deepEqual([...named].sort(), [...FORMATS.keys()].sort());
});

test('editors accept the embedded config, variables and all, and what they accept of values is near to the check', () => {
  assert.ok(accepts(EMBEDDED_CONFIG));
  const good =
    'services: { a: { backends: [http://h:1] } }\nroutes: [{ path: /, service: a, maxBodySize: false }]\n';
  assert.ok(accepts(good));
  assert.ok(accepts(good.replace('false', `"\${SIZE:-10MiB}"`)));
  assert.ok(accepts(good.replace('path: /', 'path: /, timeouts: { total: 0, head: 5s }')));
  for (const keys of [
    'retry: { on: [connect-failure, 503, "504"], hedge: p99.9, perTryTimeout: 0 }',
    'retry: { hedge: 50ms }, concurrency: { adaptive: true }, priority: low',
    'retry: { hedge: false }, concurrency: false',
    'retry: false',
  ]) {
    assert.ok(accepts(good.replace('path: /', `path: /, ${keys}`)), keys);
  }
  assert.ok(accepts(`admin: false\ndrain: { delay: 0 }\nredis: { url: "", fleet: a.b }\n${good}`));
  for (const [from, to] of [
    ['path: /', 'path: /, retry: { hedge: p10 }'],
    ['path: /', 'path: /, retry: { budgetPercent: 10 }'],
    ['path: /', 'path: /, retry: { on: [501] }'],
    ['path: /', 'path: /, priority: highest'],
    ['backends', 'backend'],
    ['path: /', 'path: /, zebra: 1'],
    ['false', '10m'],
    ['false', 'true'],
    ['path: /', 'path: /, timeouts: { head: 5 }'],
    ['[http://h:1]', '[]'],
  ] as const) {
    assert.ok(!accepts(good.replace(from, to)), to);
  }
});

test('what is loaded without a variable is accepted by the schema that its type derives from', () => {
  const checker = Compile(ConfigSchema);
  for (const { text } of [
    ...CONTROL_CASES,
    ...LOG_CASES,
    ...PROTOCOL_LISTENER_CASES,
    ...PROTOCOL_SERVICE_CASES,
    ...SERVICE_CASES,
    ...RESILIENCE_CASES,
    ...ROUTE_CASES,
  ]) {
    const loaded = load(text);
    if (loaded.ok) assert.ok(checker.Check(loaded.config), text);
  }
});
