import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { identityOf } from '../../src/data/tls/client-identity.ts';
import { clientCertificate } from './client-certificate.ts';

function identity(subject: string, ...names: readonly string[]): string {
  return identityOf(new X509Certificate(clientCertificate(subject, ...names).cert));
}

test('an identity names hash, subject, URI and DNS as Envoy writes them', () => {
  const { cert } = clientCertificate(
    '/C=DE/O=Acme/CN=ann',
    'URI:spiffe://a/b',
    'DNS:ann.example',
    'DNS:b.example',
  );
  const certificate = new X509Certificate(cert);
  const hash = certificate.fingerprint256.replaceAll(':', '').toLowerCase();
  assert.equal(
    identityOf(certificate),
    `Hash=${hash};Subject="CN=ann,O=Acme,C=DE";URI=spiffe://a/b;DNS=ann.example;DNS=b.example`,
  );
});

test('what a certificate says cannot become another element, another certificate or another field', () => {
  const hostile = identity('/O=a", URI=x;CN="b\\\\, c/CN=ü\r\nX-Evil: 1', 'DNS:x');
  assert.doesNotMatch(hostile, /[\x00-\x1f\x7f]/);
  const subject = /;Subject="((?:[^"\\]|\\.)*)";DNS=x$/.exec(hostile)?.[1];
  assert.ok(subject !== undefined, hostile);
  assert.match(Buffer.from(subject, 'latin1').toString(), /CN=ü/);
  const names = identity(
    '/CN=n',
    'URI:https://a/?b, DNS:c;d="e\\f',
    'email:a@b.example',
    'IP:10.0.0.1',
    'DNS:z',
  );
  assert.match(names, /;Subject="CN=n";URI="https:\/\/a\/\?b, DNS:c;d=\\"e\\\\f";DNS=z$/);
});

test('names with control bytes are left out', () => {
  const names = identity('/CN=n', 'URI:a\r\nX-Evil: 1', 'URI:good');
  assert.doesNotMatch(names, /Evil/);
  assert.match(names, /;URI=good$/);
});
