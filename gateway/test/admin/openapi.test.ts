import assert from 'node:assert/strict';
import { METHODS } from 'node:http';
import { test } from 'node:test';
import type { Static, TSchema } from 'typebox';
import { Value } from 'typebox/value';
import type {
  BackendStatusSchema,
  DataStatusSchema,
  ExplanationSchema,
} from '../../src/control/admin/status-schema.ts';
import type { BackendStatus, DataStatus, Explanation } from '../../src/data/port.ts';
import { type Answer, adminStage, json } from './admin-stage.ts';

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly parameters?: readonly {
    readonly in: string;
    readonly name: string;
    readonly required?: boolean;
  }[];
  readonly requestBody?: unknown;
  readonly security?: unknown;
  readonly responses: Readonly<
    Record<
      string,
      {
        readonly description: string;
        readonly content: Readonly<Record<string, { readonly schema: object }>>;
      }
    >
  >;
}

interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, TSchema>> };
}

const BACKEND = '/api/v1/services/{service}/backends/{backend}';

const OPERATIONS: Readonly<Record<string, readonly string[]>> = {
  'get /': ['200'],
  'get /livez': ['200', '403', '500'],
  'get /readyz': ['200', '403', '500', '503'],
  'get /api/v1/status': ['200', '403', '500'],
  'get /api/v1/explain': ['200', '400', '403', '500'],
  'get /openapi.json': ['200'],
  [`post ${BACKEND}/drain`]: ['200', '400', '401', '403', '404', '413', '415', '500'],
  [`post ${BACKEND}/undrain`]: ['200', '400', '401', '403', '404', '413', '415', '500'],
  [`post ${BACKEND}/disable`]: ['200', '400', '401', '403', '404', '413', '415', '500'],
  [`post ${BACKEND}/enable`]: ['200', '400', '401', '403', '404', '413', '415', '500'],
  [`put ${BACKEND}/weight`]: ['200', '400', '401', '403', '404', '413', '415', '500'],
  'post /api/v1/reload': ['200', '400', '401', '403', '413', '415', '422', '500'],
};

function operations({ paths }: Document): Map<string, Operation> {
  return new Map(
    Object.entries(paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => [`${method} ${path}`, operation] as const),
    ),
  );
}

/** Every value of a key, anywhere in the document. */
function valuesOf(key: string, value: unknown): unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => [
    ...(name === key ? [inner] : []),
    ...valuesOf(key, inner),
  ]);
}

async function fetchDocument(ask: (path: string) => Promise<Answer>): Promise<Document> {
  return JSON.parse((await ask('/openapi.json')).body);
}

test('every route is described, with all its answers', async (t) => {
  const document = await fetchDocument((await adminStage(t)).ask);
  assert.match(document.openapi, /^3\.1\./);
  const found = operations(document);
  const described = Object.fromEntries(
    [...found].map(([name, { responses }]) => [name, Object.keys(responses)]),
  );
  assert.deepEqual(described, OPERATIONS);
  const ids = [...found.values()].map(({ operationId }) => operationId);
  assert.equal(new Set(ids).size, ids.length);
  for (const [name, { operationId, summary, responses }] of found) {
    assert.match(operationId, /^[a-z][A-Za-z]+$/, name);
    assert.ok(summary.length > 5, name);
    for (const [status, { description, content }] of Object.entries(responses)) {
      assert.ok(description !== 'Default Response' && description.length > 5, `${name} ${status}`);
      const type =
        Number(status) >= 400
          ? 'application/problem+json'
          : name === 'get /'
            ? 'text/plain'
            : 'application/json';
      assert.deepEqual(Object.keys(content), [type], `${name} ${status}`);
    }
  }
});

test('what changes something takes a token and says what its body is', async (t) => {
  const document = await fetchDocument((await adminStage(t)).ask);
  for (const [name, { security, requestBody }] of operations(document)) {
    const writes = !name.startsWith('get ');
    assert.deepEqual(security, writes ? [{ token: [] }] : undefined, name);
    assert.equal(requestBody !== undefined, writes, name);
  }
});

test('parameters of paths and queries are described', async (t) => {
  const document = await fetchDocument((await adminStage(t)).ask);
  const found = operations(document);
  const parameters = (name: string) =>
    (found.get(name)?.parameters ?? []).map((parameter) => [
      parameter.in,
      parameter.name,
      parameter.required ?? false,
    ]);
  assert.deepEqual(parameters('get /api/v1/explain'), [
    ['query', 'url', true],
    ['query', 'method', false],
    ['query', 'header', false],
    ['query', 'clientIp', false],
  ]);
  for (const name of found.keys())
    if (name.includes('{'))
      assert.deepEqual(parameters(name), [
        ['path', 'service', true],
        ['path', 'backend', true],
      ]);
});

test('every $ref resolves', async (t) => {
  const document = await fetchDocument((await adminStage(t)).ask);
  const refs = new Set(valuesOf('$ref', document));
  assert.ok(refs.size >= 7, [...refs].join());
  for (const ref of refs) {
    const target = String(ref)
      .replace(/^#\//, '')
      .split('/')
      .reduce<unknown>((node, key) => Object(node)[key], document);
    assert.equal(typeof target, 'object', String(ref));
  }
});

test('the routes there are, are the routes described', async (t) => {
  const { ask } = await adminStage(t);
  const document = await fetchDocument(ask);
  for (const [path, item] of Object.entries(document.paths)) {
    const real = path.replace('{service}', 'db').replace('{backend}', '127.0.0.1:3001');
    const described = Object.keys(item).map((method) => method.toUpperCase());
    for (const method of METHODS) {
      if (method === 'CONNECT' || method === 'HEAD' || described.includes(method)) continue;
      const { status, headers } = await ask(real, { method });
      assert.equal(status, 405, `${method} ${real}`);
      const allow = String(headers['allow']).split(', ');
      assert.deepEqual(allow, described.includes('GET') ? ['GET', 'HEAD'] : described);
    }
  }
});

test('answers are as they are described', async (t) => {
  const { ask, fake } = await adminStage(t);
  const document = await fetchDocument(ask);
  fake.reloadResult = {
    ok: true,
    changes: [{ what: 'setting', name: 'drain', change: 'changed', detail: 'timeout 1 s to 2 s' }],
  };
  const drain = '/api/v1/services/db/backends/127.0.0.1:3001/drain';
  const cases: readonly (readonly [schema: string, answer: Answer])[] = [
    ['Live', await ask('/livez')],
    ['Ready', await ask('/readyz')],
    ['Status', await ask('/api/v1/status')],
    ['Explanation', await ask('/api/v1/explain?url=/')],
    ['Backend', await ask(drain, json('POST', {}))],
    ['Reload', await ask('/api/v1/reload', { method: 'POST' })],
    ['Problem', await ask('/api/v1/explain')],
    ['Problem', await ask(drain)],
  ];
  for (const [name, { body }] of cases) {
    const schema = document.components.schemas[name];
    assert.ok(schema, name);
    assert.deepEqual([...Value.Errors(schema, JSON.parse(body))], [], `${name} ${body}`);
    assert.equal(Value.Check(schema, {}), false, `${name} means something`);
  }
});

/** A type as it is after JSON: what may be undefined may be left out. */
type AsJson<T> = T extends readonly (infer Item)[]
  ? AsJson<Item>[]
  : T extends object
    ? { [K in keyof T as undefined extends T[K] ? never : K]: AsJson<T[K]> } & {
        [K in keyof T as undefined extends T[K] ? K : never]?: AsJson<Exclude<T[K], undefined>>;
      }
    : T;
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
type KeysOf<T> = T extends readonly (infer Item)[]
  ? KeysOf<Item>
  : T extends object
    ? { [K in keyof T]-?: KeysOf<T[K]> }
    : 0;
type Described<Schema, Port> = Same<Schema, AsJson<Port>> & Same<KeysOf<Schema>, KeysOf<AsJson<Port>>>;

test('the schemas are the types of the data port', () => {
  // the type checker is what tests this
  const described: readonly [
    Described<Static<typeof BackendStatusSchema>, BackendStatus>,
    Described<Static<typeof DataStatusSchema>, DataStatus>,
    Described<Static<typeof ExplanationSchema>, Explanation>,
  ] = [true, true, true];
  assert.equal(described.length, 3);
});
