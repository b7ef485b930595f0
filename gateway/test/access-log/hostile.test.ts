import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plan } from '../support/plans.ts';
import { RawBackend } from '../support/raw-backend.ts';
import { OK } from '../support/stage.ts';
import { request, startLogged } from './logged-gateway.ts';

const LOGGED = ['user-agent', 'x-note', 'referer', 'authorization', 'cookie', 'x-portway-explain'];

/** Header values that a strict parser lets through, and that have broken logs and those who read them. */
const VALUES: readonly (readonly [string, string])[] = [
  ['quotes and backslashes', '","status":200,"x":"\\" \\\\'],
  ['a line of a log', '{"time":"2026-01-01T00:00:00.000Z","status":200}'],
  ['a tab', 'a\tb'],
  ['bytes that are no UTF-8', 'a\xff\xfe\xc3\x28b'],
  ['an overlong encoding', '\xc0\xaf\xe0\x80\xaf'],
  ['half a character at the end', 'caf\xc3'],
  ['UTF-8', 'caf\xc3\xa9 \xf0\x9f\x9a\x80'],
  ['line separators of Unicode', 'a\xe2\x80\xa8b\xe2\x80\xa9c\xc2\x85d'],
  ['text that runs backwards', '\xe2\x80\xaegnp.exe'],
  ['an escape sequence of terminals in eight bits', '\x9b31mred\x9d0;title'],
  ['format strings', '%s%n%x $(id) `id` {jndi:ldap://x/a}'],
  ['HTML', '</script><script>alert(1)</script>'],
  ['8 KiB', 'x'.repeat(8_000)],
  ['8 KiB of what needs an escape', '"'.repeat(8_000)],
  ['8 KiB beyond ASCII', '\xff'.repeat(8_000)],
];

const TARGETS: readonly (readonly [string, string])[] = [
  ['quotes', '/"},{"a":"'],
  ['escaped line ends', '/%0d%0a%0D%0A{"status":200}?x=%0a'],
  ['escaped NUL and escapes', '/%00%1b[31m?%00=%1b'],
  ['invalid escapes', '/%zz%?%=%'],
  ['escaped invalid UTF-8', '/%ff%fe?%c3=%28'],
  ['8 KiB', `/${'p'.repeat(8_000)}`],
  ['a query of 8 KiB', `/?${'q=1&'.repeat(2_000)}`],
  ['a query of equals signs', `/?${'='.repeat(4_000)}`],
];

const HOSTS = ['a%0a', "x'(*);,", '[::1]:80', 'A.B.c.:65535', `${'h'.repeat(250)}.x`];

test('whatever a client sends, every request is one line of JSON in ASCII', async (t) => {
  const backend = await RawBackend.answering(OK);
  t.after(() => backend.stop());
  const { ask, entries } = await startLogged(
    t,
    plan([backend.port], { listener: { maxHeadBytes: 64 * 1024 } }),
    {
      headers: LOGGED,
    },
  );
  const asked: string[] = [];
  const send = async (text: string): Promise<void> => {
    asked.push(text);
    assert.match(await ask(text), /^HTTP\/1\.1 \d{3} /);
  };
  for (const [, value] of VALUES)
    await send(request('/', `X-Note: ${value}\r\nUser-Agent: ${value}\r\nReferer: ${value}\r\n`));
  for (const [, target] of TARGETS) await send(request(target));
  for (const host of HOSTS) await send(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  for (const method of ["A'$*|~^_`", 'GET"', 'Ge\x7ft'])
    await send(`${method} / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
  await send('GET / HTTP/1.1\r\nHost: a\r\nX: a\nY: b\r\n\r\n');
  await send('GET / HTTP/1.1\r\nHost: a\r\nX: a\rY: b\r\n\r\n');
  const logged = await entries();
  assert.equal(logged.length, asked.length);
  for (const [index, entry] of logged.entries()) {
    assert.ok(JSON.stringify(entry).length < 16 * 1024, `a long line for ${asked[index]?.slice(0, 60)}`);
    assert.equal(entry['log'], 'access');
  }
  assert.equal(logged[6]?.headers?.['x-note'], 'caf\u00e9 \u{1f680}');
  assert.equal(logged[3]?.headers?.['x-note'], 'a\xff\xfe\xc3(b');
  assert.match(String(logged[12]?.headers?.['x-note']), /^x{1024}\.\.\.\(6976 more\)$/);
});

test('credentials are not in the log, however they are listed and written', async (t) => {
  const backend = await RawBackend.answering(OK);
  t.after(() => backend.stop());
  for (const headers of [LOGGED, ['*']]) {
    const { ask, entries } = await startLogged(t, plan([backend.port]), {
      headers,
      redact: { headers: ['x-note'], query: [] },
    });
    const secrets = [
      'Authorization: Bearer hunter2\r\nCOOKIE: a=hunter2\r\nSet-Cookie: hunter2\r\n',
      'Proxy-Authorization: Basic hunter2\r\nX-Portway-Explain: hunter2\r\nX-Note: hunter2\r\n',
      'Referer: https://u:hunter2@h/p?token=hunter2&a=1#access_token=hunter2\r\nX-Open: yes\r\n',
    ];
    await ask(request('/?password=hunter2&a=b', secrets.join('')));
    const [entry] = await entries();
    assert.ok(!JSON.stringify(entry).includes('hunter2'), JSON.stringify(entry));
    assert.equal(entry?.['query'], 'password=[redacted]&a=b');
    const fields = entry?.headers ?? {};
    assert.equal(fields['authorization'], '[redacted]');
    assert.equal(fields['cookie'], '[redacted]');
    assert.equal(fields['x-note'], '[redacted]');
    assert.equal(fields['referer'], 'https://h/p?token=[redacted]&a=1#access_token=[redacted]');
    assert.equal(fields['x-open'], headers.includes('*') ? 'yes' : undefined);
  }
});

test('a field that comes twice is logged as one list', async (t) => {
  const backend = await RawBackend.answering(OK);
  t.after(() => backend.stop());
  const { ask, entries } = await startLogged(t, plan([backend.port]), { headers: ['x-note'] });
  await ask(request('/', 'X-Note: a\r\nx-note:  b \r\n'));
  assert.deepEqual((await entries())[0]?.headers, { 'x-note': 'a, b' });
});
