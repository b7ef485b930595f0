import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { dockerfiles, ROOT, read } from './stack.ts';

for (const file of dockerfiles) {
  const text = read(file);

  test(`${file} copies what is there and nothing of development, and ends as node`, () => {
    const copied = [...text.matchAll(/^COPY (?!--)(.+) \S+$/gm)].flatMap(([, paths = '']) =>
      paths.split(' '),
    );
    assert.ok(copied.length > 0);
    assert.deepEqual(
      copied.filter((path) => !existsSync(join(ROOT, path))),
      [],
    );
    assert.match(text, /^RUN npm ci --omit=dev --ignore-scripts /m);
    assert.equal([...text.matchAll(/^USER (\S+)/gm)].at(-1)?.[1], 'node');
    // the shell form would leave SIGTERM with a shell
    assert.match(text, /^ENTRYPOINT \["node"/m);
  });
}

test('the images are built from sources and manifests alone', () => {
  const lines = read('.dockerignore')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  assert.deepEqual(
    lines.filter((line) => line === '*' || line.startsWith('!')),
    ['*', '!package.json', '!package-lock.json', '!gateway/package.json', '!gateway/src', '!services'],
  );
  for (const dropped of ['**/test', '**/node_modules'])
    assert.ok(lines.indexOf(dropped) > lines.indexOf('!services'));
});
