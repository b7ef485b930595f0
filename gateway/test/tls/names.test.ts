import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { CertificateChoice } from '../../src/data/tls/certificate-choice.ts';
import { certificateFor, handshakeFailure, TlsClient, tlsPlan, tlsStage } from './tls-stage.ts';

const run = promisify(execFile);

test('a name finds its own certificate before a wildcard, and a wildcard stands for one label', () => {
  const choice = new CertificateChoice([
    { names: ['a.example'], value: 1 },
    { names: ['*.example', 'a.example'], value: 2 },
    { names: ['deep.b.example', '*.b.example'], value: 3 },
  ]);
  const asked = ['a.example', 'A.Example.', 'b.example', 'x.b.example', 'deep.b.example', 'x.y.b.example'];
  assert.deepEqual(
    asked.map((name) => choice.find(name)),
    [1, 1, 2, 3, 3, undefined],
  );
  assert.deepEqual(
    ['example', '', '.', '.example', '*.example', 'c.other'].map((name) => choice.find(name)),
    [undefined, undefined, undefined, undefined, 2, undefined],
  );
});

test('certificates are chosen by the name the client asks for', async (t) => {
  const first = certificateFor('a.example');
  const wild = certificateFor('*.b.example');
  const exact = certificateFor('exact.b.example');
  const { port } = await tlsStage(t, tlsPlan([first, wild, exact]));
  const servedTo = async (servername: string | undefined): Promise<string> => {
    const client = await TlsClient.open(t, port, {
      servername: servername ?? '',
      rejectUnauthorized: false,
    });
    await client.get().contains('ok');
    return client.socket.getPeerX509Certificate()?.subjectAltName ?? '';
  };

  await t.test('by Node', async () => {
    assert.equal(await servedTo('a.example'), 'DNS:a.example');
    assert.equal(await servedTo('x.b.example'), 'DNS:*.b.example');
    assert.equal(await servedTo('exact.b.example'), 'DNS:exact.b.example');
    assert.equal(await servedTo('EXACT.B.example'), 'DNS:exact.b.example');
    assert.equal(await servedTo('x.y.b.example'), 'DNS:a.example');
    assert.equal(await servedTo('b.example'), 'DNS:a.example');
    assert.equal(await servedTo(undefined), 'DNS:a.example');
  });

  await t.test('by openssl', async () => {
    const subject = async (...args: readonly string[]): Promise<string> => {
      const connecting = run('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, ...args]);
      connecting.child.stdin?.end();
      const shown = run('openssl', ['x509', '-noout', '-ext', 'subjectAltName']);
      shown.child.stdin?.end((await connecting).stdout);
      return /DNS:\S+/.exec((await shown).stdout)?.[0] ?? '';
    };
    assert.equal(await subject('-servername', 'x.b.example'), 'DNS:*.b.example');
    assert.equal(await subject('-noservername'), 'DNS:a.example');
  });

  await t.test('a client that checks is content', async () => {
    const client = await TlsClient.open(t, port, { servername: 'exact.b.example', ca: exact.ca });
    assert.equal(client.socket.authorized, true);
  });
});

test('ALPN: HTTP/1.1 where HTTP/2 is not spoken, and an alert where nothing is common', async (t) => {
  const certificate = certificateFor('a.example');
  const { ca } = certificate;
  const { port } = await tlsStage(t, tlsPlan([certificate]));
  const client = await TlsClient.open(t, port, { ca, ALPNProtocols: ['h2', 'http/1.1'] });
  assert.equal(client.socket.alpnProtocol, 'http/1.1');
  const without = await TlsClient.open(t, port, { ca, ALPNProtocols: [] });
  assert.equal(without.socket.alpnProtocol, false);
  await without.get().contains('ok');
  const failure = await handshakeFailure(t, port, { ca, ALPNProtocols: ['acme-tls/1'] });
  assert.match(failure, /NO_APPLICATION_PROTOCOL/);
});

test('ALPN: HTTP/2 where it is spoken and wanted', async (t) => {
  const certificate = certificateFor('a.example');
  const http2 = { maxStreams: 100, initialWindowBytes: 65_535 };
  const { port } = await tlsStage(t, tlsPlan([certificate]), { listener: { http2 } });
  const curl = (...args: readonly string[]) =>
    run('curl', ['-sk', '-w', ' %{http_version}', ...args, `https://127.0.0.1:${port}/`]);
  assert.equal((await curl('--http2')).stdout, 'ok 2');
  assert.equal((await curl('--http1.1')).stdout, 'ok 1.1');
});
