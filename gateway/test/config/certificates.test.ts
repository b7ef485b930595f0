import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { suite, test } from 'node:test';
import type { HttpListenerPlan } from '../../src/data/plan.ts';
import { makeCertificate } from '../agents/certificates.ts';
import { complaints, load, planOf } from './loading.ts';
import { REST } from './problem-table.ts';
import { TEST_CA } from './test-ca.ts';

const DAY_MS = 86_400_000;
/** A while from now: certificates are made during the tests, and are not valid before the second they are made in. */
const NOW_MS = Date.now() + 60_000;

const one = makeCertificate({
  names: ['DNS:A.example.com', 'DNS:*.example.com', 'IP:127.0.0.1', 'IP:0:0::1'],
});
const other = makeCertificate({ names: ['DNS:b.example.com', 'DNS:a.example.com'] });
const dated = makeCertificate({
  names: ['DNS:a.example.com'],
  validity: ['20300101000000Z', '20300301120000Z'],
});

/** A listener with these certificates, each `cert key` by the names of files; `more` keys of tls behind them. */
function withTls(pairs: readonly string[], more = ''): string {
  const lines = pairs.map((pair) => {
    const [cert, key] = pair.split(' ');
    return `        - { cert: ${cert}, key: ${key} }\n`;
  });
  return `listeners:\n  - address: :443\n    tls:\n      certificates:\n${lines.join('')}${more}${REST}`;
}

const inFolder = (files: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(files).map(([name, text]) => [`/etc/portway/${name}`, text]));

const FILES = inFolder({
  'one.pem': one.cert,
  'one.key': one.key,
  'other.pem': other.cert,
  'other.key': other.key,
  'dated.pem': dated.cert,
  'dated.key': dated.key,
  'ca.pem': one.ca,
});

/** What is said of one certificate, at a time when none of those that last a day is near its end. */
function saidOf(files: Readonly<Record<string, string>>, nowMs = NOW_MS): readonly string[] {
  const all = { 'x.pem': one.cert, 'x.key': one.key, ...files };
  return complaints(load(withTls(['x.pem x.key']), {}, inFolder(all), nowMs)).filter(
    (line) => !/expires on/.test(line),
  );
}

function listenerOf(text: string, files: Readonly<Record<string, string>> = FILES): HttpListenerPlan {
  const [listener] = planOf(text, {}, files).listeners;
  assert.ok(listener?.kind === 'http');
  return listener;
}

suite('certificates of a listener', () => {
  test('are read from beside the config file, with the names of their subjectAltName in one spelling', () => {
    const { tls } = listenerOf(withTls(['one.pem one.key', 'other.pem other.key']));
    assert.deepEqual(tls?.certificates, [
      { names: ['a.example.com', '*.example.com', '127.0.0.1', '::1'], cert: one.cert, key: one.key },
      { names: ['b.example.com', 'a.example.com'], cert: other.cert, key: other.key },
    ]);
    assert.deepEqual(
      [tls?.clientCa, tls?.clientCertificate, tls?.minVersion, tls?.hsts],
      [undefined, 'none', 'TLSv1.2', undefined],
    );
  });

  test('that are for one name are told of', () => {
    const text = withTls(['one.pem one.key', 'other.pem other.key', 'one.pem one.key']);
    const said = complaints(load(text, {}, FILES)).filter((line) => !/expires on/.test(line));
    assert.deepEqual(said, [
      '6:19: warning: cert: a.example.com has a certificate on line 5 already, which is shown instead',
      '7:19: warning: cert: a.example.com, *.example.com, 127.0.0.1, … have a certificate on line 5 already, which is shown instead',
    ]);
  });

  test('bring HTTP/2 along, unless it is off', () => {
    const http2 = (keys: string) =>
      listenerOf(withTls(['one.pem one.key']).replace('    tls:', `    ${keys}\n    tls:`)).http2;
    assert.deepEqual(http2('maxConnections: 1'), { maxStreams: 128, initialWindowBytes: 262_144 });
    assert.deepEqual(http2('http2: { maxStreams: 5 }'), { maxStreams: 5, initialWindowBytes: 262_144 });
    assert.equal(http2('http2: false'), undefined);
  });

  test('of clients are asked for where there is an authority for them, and must be there unless optional', () => {
    const required = listenerOf(withTls(['one.pem one.key'], '      clientCa: ca.pem\n'));
    assert.deepEqual([required.tls?.clientCa, required.tls?.clientCertificate], [one.ca, 'required']);
    const keys = '      clientCa: ca.pem\n      clientCertificate: optional\n';
    assert.equal(listenerOf(withTls(['one.pem one.key'], keys)).tls?.clientCertificate, 'optional');
    const none = withTls(['one.pem one.key'], '      clientCa: one.key\n');
    assert.ok(
      complaints(load(none, {}, FILES)).includes(
        '6:17: clientCa: /etc/portway/one.key holds no certificate in PEM form',
      ),
    );
  });

  test('have the lowest version and the value of Strict-Transport-Security that is written', () => {
    const tls = (more: string) => listenerOf(withTls(['one.pem one.key'], more)).tls;
    assert.equal(tls('      minVersion: 1.3\n')?.minVersion, 'TLSv1.3');
    assert.equal(tls('      hsts: 365d\n')?.hsts, 'max-age=31536000');
    assert.equal(tls('      hsts: { maxAge: 1.5s }\n')?.hsts, 'max-age=1');
    assert.equal(tls('      hsts: { maxAge: 0 }\n')?.hsts, 'max-age=0');
    assert.equal(tls('      hsts: false\n')?.hsts, undefined);
    assert.equal(
      tls('      hsts: { maxAge: 730d, includeSubdomains: true, preload: true }\n')?.hsts,
      'max-age=63072000; includeSubDomains; preload',
    );
  });
});

suite('a certificate', () => {
  test('that has expired, or is not valid yet, is refused with its date', () => {
    const files = { 'x.pem': dated.cert, 'x.key': dated.key };
    const at = (text: string) => saidOf(files, Date.parse(text));
    assert.deepEqual(at('2029-12-31T23:59:59Z'), [
      '5:19: cert: /etc/portway/x.pem is not valid before 2030-01-01 00:00 UTC',
    ]);
    assert.deepEqual(at('2030-01-01T00:00:00Z'), []);
    assert.deepEqual(at('2030-03-01T12:00:00Z'), [
      '5:19: cert: /etc/portway/x.pem expired on 2030-03-01 12:00 UTC',
    ]);
  });

  test('that expires within two weeks is warned of', () => {
    const said = (days: number) =>
      complaints(
        load(withTls(['dated.pem dated.key']), {}, FILES, Date.parse('2030-03-01T12:00:00Z') - days * DAY_MS),
      );
    assert.deepEqual(said(14), []);
    assert.deepEqual(said(13.9), [
      '5:19: warning: cert: /etc/portway/dated.pem expires on 2030-03-01 12:00 UTC',
    ]);
  });

  test('whose files cannot be read, or hold something else, is refused', () => {
    const { key, cert } = one;
    assert.deepEqual(complaints(load(withTls(['x.pem x.key']))), [
      '5:19: cert: /etc/portway/x.pem cannot be read (ENOENT)',
    ]);
    assert.deepEqual(saidOf({ 'x.pem': '' }), [
      '5:19: cert: /etc/portway/x.pem holds no certificate in PEM form',
    ]);
    assert.deepEqual(saidOf({ 'x.pem': key, 'x.key': cert }), [
      '5:19: cert: /etc/portway/x.pem holds no certificate in PEM form, but a key; are cert and key swapped?',
    ]);
    assert.deepEqual(saidOf({ 'x.key': cert }), [
      '5:31: key: /etc/portway/x.key holds no private key in PEM form, but a certificate; are cert and key swapped?',
    ]);
    const garbled = (text: string) => text.replace(/\n[^\n]{20}/, '\n????????????????????');
    assert.deepEqual(saidOf({ 'x.pem': `${cert}${garbled(cert)}` }), [
      '5:19: cert: certificate 2 in /etc/portway/x.pem cannot be read',
    ]);
    assert.deepEqual(saidOf({ 'x.key': garbled(key) }), [
      '5:31: key: the key in /etc/portway/x.key cannot be read',
    ]);
  });

  test('with the key of another one is refused', () => {
    assert.deepEqual(saidOf({ 'x.key': other.key }), [
      '5:31: key: the key in /etc/portway/x.key does not belong to the certificate in /etc/portway/x.pem',
    ]);
  });

  test('that stands behind its authority is refused, and before it is good', () => {
    assert.deepEqual(saidOf({ 'x.pem': `${one.ca}${one.cert}` }), [
      '5:19: cert: the key in /etc/portway/x.key belongs to a later certificate in /etc/portway/x.pem; the server’s own must come first',
    ]);
    assert.deepEqual(saidOf({ 'x.pem': `${one.cert}${one.ca}` }), []);
  });

  test('whose chain has expired is warned of', () => {
    const files = { 'x.pem': `${dated.cert}${one.ca}`, 'x.key': dated.key };
    const said = saidOf(files, Date.parse('2030-01-10T00:00:00Z'));
    assert.equal(said.length, 1);
    assert.match(
      said[0] ?? '',
      /^5:19: warning: cert: certificate 2 in .*x\.pem, of the chain, expired on 20/,
    );
  });

  test('with an encrypted key is refused: nobody is there to ask for its password', () => {
    const said = [
      '5:31: key: the key in /etc/portway/x.key is encrypted, and there is nobody to ask for its password; decrypt it first',
    ];
    const key = createPrivateKey(one.key);
    const options = { format: 'pem', cipher: 'aes-128-cbc', passphrase: 'p' } as const;
    for (const type of ['pkcs8', 'sec1'] as const) {
      assert.deepEqual(saidOf({ 'x.key': String(key.export({ ...options, type })) }), said, type);
    }
  });

  test('that names no host is for its common name, and warned of', () => {
    const pem = selfSigned(
      ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'],
      '/O=x/CN=Old.example.com',
    );
    const files = { 'x.pem': pem, 'x.key': pem };
    assert.deepEqual(saidOf(files), [
      '5:19: warning: cert: /etc/portway/x.pem names no host in its subjectAltName, only its subject old.example.com: clients refuse it',
    ]);
    const { tls } = listenerOf(withTls(['x.pem x.key']), inFolder(files));
    assert.deepEqual(tls?.certificates[0]?.names, ['old.example.com']);
  });

  test('that OpenSSL would not start with is refused by what OpenSSL says', () => {
    const pem = selfSigned(['-newkey', 'rsa:1024'], '/CN=weak');
    assert.deepEqual(saidOf({ 'x.pem': pem, 'x.key': pem }), [
      '5:19: cert: /etc/portway/x.pem cannot be used: SSL routines::ee key too small',
    ]);
  });

  test('is never shown, nor is its key', () => {
    const said = saidOf({ 'x.pem': other.key, 'x.key': other.cert }).join('\n');
    for (const line of other.key.split('\n').slice(1, 3)) assert.ok(!said.includes(line));
  });
});

/** Key and certificate in one text. */
function selfSigned(newKey: readonly string[], subject: string): string {
  const args = [
    'req',
    '-x509',
    ...newKey,
    '-nodes',
    '-keyout',
    '-',
    '-out',
    '-',
    '-days',
    '100',
    '-subj',
    subject,
  ];
  return execFileSync('openssl', args, { stdio: 'pipe', encoding: 'utf8' });
}

test('an authority of backends is still read beside certificates of listeners', () => {
  const text = `defaults: { tls: { ca: own.pem } }\n${withTls(['one.pem one.key'])}`;
  const files = { ...FILES, ...inFolder({ 'own.pem': TEST_CA }) };
  assert.equal(planOf(text, {}, files).services[0]?.tls.ca, TEST_CA);
});
