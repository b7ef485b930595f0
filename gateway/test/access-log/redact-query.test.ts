import assert from 'node:assert/strict';
import { test } from 'node:test';
import { looksSecret, QueryRedaction } from '../../src/control/access-log/redact-query.ts';

const SECRET = [
  ...['token', 'access_token', 'id_token', 'X-Amz-Security-Token', 'csrfToken', 'authenticity_token'],
  ...['key', 'api_key', 'apiKey', 'apikey', 'api-key', 'KEY', 'x.key', 'AWSAccessKeyId', 'privateKey'],
  ...[
    'secret',
    'client_secret',
    'clientSecret',
    'password',
    'passwd',
    'userPassword',
    'user[password]',
    'pwd',
  ],
  ...['sig', 'signature', 'X-Amz-Signature', 'X-Amz-Credential', 'X-Goog-Signature', 'hmac'],
  ...['code', 'otp', 'sessionid', 'PHPSESSID', 'jwt', 'SAMLResponse', 'auth', 'authorization', 'pass'],
];
const OPEN = [
  'id',
  'q',
  'page',
  'monkey',
  'keyword',
  'encode',
  'design',
  'barcodes',
  'passage',
  'author',
  'pinned',
  '',
];

test('names that look secret are told from those that do not', () => {
  assert.deepEqual(
    SECRET.filter((name) => !looksSecret(name)),
    [],
  );
  assert.deepEqual(OPEN.filter(looksSecret), []);
});

const USUAL: readonly (readonly [query: string, shown: string])[] = [
  ['', ''],
  ['a=1&b=2', 'a=1&b=2'],
  ['token=abc', 'token=[redacted]'],
  ['a=1&token=abc&b=2', 'a=1&token=[redacted]&b=2'],
  ['token=abc;key=def', 'token=[redacted];key=[redacted]'],
  ['token=a=b=c&d', 'token=[redacted]&d'],
  ['token=', 'token=[redacted]'],
  ['token', 'token'],
  ['=token', '=token'],
  ['%74oken=abc', '%74oken=[redacted]'],
  ['%2574oken=abc', '%2574oken=[redacted]'],
  ['api+key=abc', 'api+key=[redacted]'],
  ['x%5Bpassword%5D=abc', 'x%5Bpassword%5D=[redacted]'],
  ['TOKEN=abc&Token=def', 'TOKEN=[redacted]&Token=[redacted]'],
  ['%=1&%zz=2&%ff=3', '%=1&%zz=2&%ff=3'],
  ['&&token=a&&', '&&token=[redacted]&&'],
];

for (const [query, shown] of USUAL) {
  test(`of ${query === '' ? 'no query' : query} is shown: ${shown}`, () => {
    const redaction = new QueryRedaction({ query: [] });
    assert.equal(redaction.of(query), shown);
    assert.equal(redaction.of(`?${query}`), `?${shown}`);
  });
}

test('all values are hidden, or none', () => {
  const all = new QueryRedaction({ query: 'all' });
  assert.equal(all.of('a=1&b=&c&d=2;e=3'), 'a=[redacted]&b=[redacted]&[redacted]&d=[redacted];e=[redacted]');
  assert.equal(all.of('?'), '?');
  assert.equal(new QueryRedaction({ query: 'none' }).of('token=a'), 'token=a');
});

test('names that a config lists are hidden beside the usual ones, whatever their case', () => {
  const some = new QueryRedaction({ query: ['id', 'user name'] });
  assert.equal(
    some.of('ID=1&User%20Name=2&user+name=3&token=4&page=5'),
    [
      ...['ID=[redacted]', 'User%20Name=[redacted]', 'user+name=[redacted]', 'token=[redacted]', 'page=5'],
    ].join('&'),
  );
});

const URLS: readonly (readonly [url: string, shown: string])[] = [
  ['https://h/p', 'https://h/p'],
  ['https://u:hunter2@h/p', 'https://h/p'],
  ['//u:hunter2@h', '//h'],
  ['https://h/a@b?token=1', 'https://h/a@b?token=[redacted]'],
  ['https://h#access_token=1&a=2', 'https://h#access_token=[redacted]&a=2'],
  ['https://h?a=1#b#token=2', 'https://h?a=1#b#token=[redacted]'],
  ['not a url', 'not a url'],
  ['', ''],
];

for (const [url, shown] of URLS) {
  test(`of the URL ${url} is shown: ${shown}`, () => {
    assert.equal(new QueryRedaction({ query: [] }).ofUrl(url), shown);
  });
}
