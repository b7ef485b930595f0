import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

// What ARCHITECTURE.md promises of the code's shape and no type checker sees.

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MAX_LINES = 400;

const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

/** Source files, as paths from the root. */
function sources(...folders: readonly string[]): string[] {
  const exclude = (path: string): boolean => /(^|\/)(node_modules|out|results)(\/|$)/.test(path);
  return folders.flatMap((folder) => globSync(`${folder}/**/*.{ts,mjs,js}`, { cwd: ROOT, exclude }));
}

/** What a file imports, also dynamically, resolved to paths from the root where it is relative. */
function imports(file: string): string[] {
  const found = read(file).matchAll(/^(?:(?:import|export)\b[^;]*?from |import |.*\bimport\()'([^']+)'/gm);
  return [...found].map(([, specifier = '']) =>
    specifier.startsWith('.') ? join(dirname(file), specifier) : specifier,
  );
}

const offending = (files: readonly string[], offends: (file: string) => boolean): string[] =>
  files.filter(offends);

test('there is something to look at', () => {
  assert.ok(sources('gateway/src/data').length > 30);
  assert.ok(imports('gateway/src/data/forward.ts').includes('gateway/src/errors.ts'));
});

test('the data plane never imports the control plane', () => {
  const reaching = (file: string): boolean =>
    imports(file).some((path) => path.startsWith('gateway/src/control'));
  assert.deepEqual(offending(sources('gateway/src/data'), reaching), []);
});

test('only gateway.ts and main.ts know both planes', () => {
  const reaching = (file: string): boolean =>
    imports(file).some((path) =>
      /^gateway\/src\/data\/(?!plan\.ts|port\.ts|target\.ts|route-rule\.ts|router\.ts|path-)/.test(path),
    );
  assert.deepEqual(offending(sources('gateway/src/control'), reaching), []);
});

test('the data plane stands on sockets: no package but opossum in breaker.ts, node:http2 in http2/, and of node:http only its table of reason phrases', () => {
  const isForeign = (file: string, path: string): boolean =>
    !/^(gateway\/src\/|node:)/.test(path) && !(path === 'opossum' && basename(file) === 'breaker.ts');
  const foreign = (file: string): boolean =>
    imports(file).some((path) => isForeign(file, path)) ||
    /^(?!import \{ STATUS_CODES \}).*from 'node:https?'/m.test(read(file)) ||
    (/^(?!import type).*from 'node:http2'/m.test(read(file)) && basename(dirname(file)) !== 'http2');
  assert.deepEqual(offending(sources('gateway/src/data'), foreign), []);
});

test('no EventEmitter on the request path, but those that sockets and servers are, and the one opossum rotates by', () => {
  assert.deepEqual(
    offending(sources('gateway/src/data'), (file) => /EventEmitter|node:events/.test(read(file))),
    ['gateway/src/data/breaker.ts'],
  );
});

test('no module keeps state of its own', () => {
  assert.deepEqual(
    offending(sources('gateway/src'), (file) => /^(export )?(let|var) /m.test(read(file))),
    [],
  );
});

test(`no file is longer than ${MAX_LINES} lines`, () => {
  const long = sources('gateway/src', 'gateway/bin', 'services', 'bench', 'grafana', 'load-tests')
    .map((file) => ({ file, lines: read(file).split('\n').length - 1 }))
    .filter(({ lines }) => lines > MAX_LINES);
  assert.deepEqual(long, []);
});

test('files are named for what they do, in kebab-case', () => {
  const all = sources('gateway', 'services', 'bench', 'load-tests', 'grafana');
  assert.deepEqual(
    offending(all, (file) => /util|helper|manager|misc|common/i.test(basename(file))),
    [],
  );
  assert.deepEqual(
    offending(all, (file) => !/^[a-z0-9]+([.-][a-z0-9]+)*$/.test(basename(file))),
    [],
  );
});

/** Where a path in a document may start: at the root, or in a folder that the text before it is about. */
const BASES = [
  '',
  'gateway',
  'gateway/src',
  'gateway/src/data',
  'gateway/src/data/http1',
  'gateway/src/data/http2',
  'gateway/src/data/layer4',
  'gateway/src/data/forward-proxy',
  'gateway/src/data/tunnel',
  'gateway/src/control',
  'gateway/src/control/config',
  'gateway/src/control/health',
  'gateway/src/control/state',
  'gateway/src/control/reload',
  'gateway/src/control/admin',
  'gateway/src/control/metrics',
  'gateway/src/control/status-page',
  'gateway/src/control/access-log',
  'gateway/src/control/tracing',
];

for (const document of ['ARCHITECTURE.md', 'README.md', 'CONTRIBUTING.md']) {
  test(`every path named in ${document} exists`, { skip: !existsSync(join(ROOT, document)) }, () => {
    const spans = [...read(document).matchAll(/`([\w@.-]+(?:\/[\w@.-]*)*)`/g)].map(([, span = '']) => span);
    // files by their endings, folders by the slash at the end; `.node/` and its like are made at run time
    const paths = spans.filter((span) => /^[^.].*(\.(ts|mjs|json|md|ya?ml|svg)|\/)$/.test(span));
    const missing = paths.filter((path) => !BASES.some((base) => existsSync(join(ROOT, base, path))));
    assert.deepEqual(missing, []);
  });
}
