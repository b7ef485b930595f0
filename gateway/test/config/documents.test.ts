import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { makeCertificate } from '../agents/certificates.ts';
import { complaints, load } from './loading.ts';

const DOCUMENTS = ['../../docs/protocols.md', '../../../README.md'];
const ENVIRONMENT = { PROXY_PASSWORD: 'secret' };

const certificate = makeCertificate({ names: ['DNS:www.example.com'] });
const FILES = Object.fromEntries(
  [
    ['example.pem', certificate.cert],
    ['example.key', certificate.key],
    ['other.pem', certificate.cert],
    ['other.key', certificate.key],
    ['clients.pem', certificate.ca],
  ].map(([name, text]) => [`/etc/portway/certs/${name}`, text ?? '']),
);

/** What is said of our certificate of one day, which the documents could not know of. */
const OF_OURS = /expires on|has a certificate on line/;

suite('configs in documents', () => {
  for (const path of DOCUMENTS) {
    const text = readFileSync(new URL(path, import.meta.url), 'utf8');
    const blocks = [...text.matchAll(/^```yaml\n(.*?)^```/gms)].map(([, block = '']) => block);
    test(`${path.replaceAll('../', '')} has some`, () => assert.ok(blocks.length > 0));
    for (const [index, block] of blocks.entries()) {
      test(`${path.replaceAll('../', '')}: block ${index + 1} is good`, () => {
        const loaded = load(block, ENVIRONMENT, FILES);
        assert.ok(loaded.ok, complaints(loaded).join('\n'));
        assert.deepEqual(
          complaints(loaded).filter((line) => !OF_OURS.test(line)),
          [],
        );
      });
    }
  }
});
