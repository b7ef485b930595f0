import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { exchangeRaw } from '../support/raw-client.ts';
import { openAdmin, Scene } from './page-stage.ts';

const FOLDER = fileURLToPath(new URL('../../src/control/status-page/page/', import.meta.url));
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const FILES = globSync('*', { cwd: FOLDER });

const get = (port: number, path: string, headers = 'Accept: text/html\r\n'): Promise<string> =>
  exchangeRaw(port, `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${headers}Connection: close\r\n\r\n`);

test('browsers get the page at /, others the list', async (t) => {
  const { port } = await openAdmin(t, new Scene());
  assert.match(await get(port, '/'), /^HTTP\/1\.1 200 [^]*content-type: text\/html[^]*<!doctype html>/i);
  for (const accept of ['', 'Accept: */*\r\n', 'Accept: application/json\r\n'])
    assert.match(
      await get(port, '/', accept),
      /^HTTP\/1\.1 200 [^]*content-type: text\/plain[^]*Portway admin/i,
    );
  assert.match(await get(port, '/'), /vary: accept/i);
});

test('nothing but what the server serves itself is let in, and no page may frame it', async (t) => {
  const { port } = await openAdmin(t, new Scene());
  for (const path of ['/', '/page/page.js', '/page/style.css']) {
    const head = (await get(port, path)).split('\r\n\r\n')[0] ?? '';
    assert.match(
      head,
      /content-security-policy: default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'\r\n/i,
    );
    for (const field of [
      'x-content-type-options: nosniff',
      'referrer-policy: no-referrer',
      'x-frame-options: deny',
    ])
      assert.ok(head.toLowerCase().includes(field), `${path} ${field}`);
  }
});

test('what a browser has already is not sent again', async (t) => {
  const { port } = await openAdmin(t, new Scene());
  for (const path of ['/', '/page/page.js']) {
    const first = await get(port, path);
    assert.match(first, /cache-control: no-cache\r\n/i);
    const etag = /etag: (".+")\r/i.exec(first)?.[1] ?? '';
    for (const named of [etag, `W/${etag}`, `"other", ${etag}`, '*'])
      assert.match(
        await get(port, path, `Accept: text/html\r\nIf-None-Match: ${named}\r\n`),
        /^HTTP\/1\.1 304 [^]*\r\n\r\n$/,
        named,
      );
    assert.match(
      await get(port, path, 'Accept: text/html\r\nIf-None-Match: "other"\r\n'),
      /^HTTP\/1\.1 200 /,
    );
  }
});

test('every file of the page is served by its type, and nothing beside them', async (t) => {
  const { port } = await openAdmin(t, new Scene());
  const types: Readonly<Record<string, string>> = { js: 'text/javascript', css: 'text/css' };
  for (const name of FILES.filter((file) => file !== 'index.html')) {
    const received = await get(port, `/page/${name}`);
    const type = types[name.split('.').at(-1) ?? ''];
    assert.match(
      received,
      new RegExp(`^HTTP/1\\.1 200 [^]*content-type: ${type}; charset=utf-8\\r`, 'i'),
      name,
    );
  }
  for (const path of ['/page/', '/page/index.html', '/page/../page-files.ts', '/page/..%2fpage-files.ts'])
    assert.match(await get(port, path), /^HTTP\/1\.1 404 /, path);
});

test('the page loads nothing from anywhere else, and holds no script or style of its own', () => {
  const html = readFileSync(`${FOLDER}index.html`, 'utf8');
  assert.doesNotMatch(html, /<style|<script(?![^>]*src=)| style=| on\w+=/);
  for (const name of FILES) {
    const text = readFileSync(FOLDER + name, 'utf8').replaceAll('http://www.w3.org/2000/svg', '');
    assert.doesNotMatch(
      text,
      /https?:\/\/|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b/,
      name,
    );
  }
});

test('the stream is in the description of the API', async (t) => {
  const { port } = await openAdmin(t, new Scene());
  const body = (await get(port, '/openapi.json')).split('\r\n\r\n')[1] ?? '';
  const { paths } = JSON.parse(body);
  assert.deepEqual(Object.keys(paths['/api/v1/stream'].get.responses), ['200', '403', '500', '503']);
  assert.deepEqual(Object.keys(paths['/api/v1/stream'].get.responses['200'].content), ['text/event-stream']);
});

test('the scripts of the page, and those of its tests, type-check', () => {
  const flags =
    '--ignoreConfig --noEmit --allowJs --checkJs --strict --target esnext --module esnext --moduleResolution bundler --lib esnext,dom,dom.iterable';
  const modules = FILES.filter((file) => file.endsWith('.js'));
  const { stdout, status } = spawnSync(
    `${ROOT}node_modules/.bin/tsc`,
    [...flags.split(' '), '--types', '', ...modules, fileURLToPath(new URL('in-page.js', import.meta.url))],
    { cwd: FOLDER, encoding: 'utf8' },
  );
  assert.deepEqual([stdout, status], ['', 0]);
});
