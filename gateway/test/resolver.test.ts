import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ResolvedAddress, Resolver, type ResolverDeps } from '../src/data/resolver.ts';

interface Question {
  readonly host: string;
  answer(...addresses: readonly string[]): void;
  fail(): void;
}

/** A resolver on a clock and a name server that the test drives. */
function harness(options: Partial<ResolverDeps> = {}) {
  const clock = { nowMs: 0, now: () => clock.nowMs };
  const asked: Question[] = [];
  const resolver = new Resolver({
    clock,
    random: () => 0,
    lookup(host, done) {
      asked.push({
        host,
        answer: (...addresses) => done(null, addresses.map(parse)),
        fail: () => done(new Error('ENOTFOUND'), []),
      });
    },
    ...options,
  });
  const resolve = (host: string) => {
    const results: (string | readonly string[])[] = [];
    resolver.resolve(host, (error, found) =>
      results.push(error === undefined ? texts(found) : error.message),
    );
    return results;
  };
  const question = (index: number): Question => {
    const found = asked[index];
    assert.ok(found, `look-up ${index} was not made`);
    return found;
  };
  return { clock, asked, question, resolver, resolve };
}

function parse(address: string): ResolvedAddress {
  return { address, family: address.includes(':') ? 6 : 4 };
}

function texts(addresses: readonly ResolvedAddress[] | undefined): readonly string[] {
  return (addresses ?? []).map(({ address }) => address);
}

test('an IP address is its own answer, without a look-up', () => {
  const { resolver, resolve, asked } = harness();
  assert.deepEqual(resolve('127.0.0.1'), [['127.0.0.1']]);
  assert.deepEqual(resolver.addresses('::1'), [{ address: '::1', family: 6 }]);
  assert.equal(resolver.addresses('::1'), resolver.addresses('::1'));
  assert.equal(asked.length, 0);
});

test('all who ask during a look-up share it', () => {
  const { resolver, resolve, asked, question } = harness();
  const results = [resolve('db'), resolve('db')];
  assert.equal(resolver.addresses('db'), undefined);
  assert.equal(asked.length, 1);
  question(0).answer('10.0.0.1');
  assert.deepEqual(results, [[['10.0.0.1']], [['10.0.0.1']]]);
});

test('a slow look-up is waited for, not repeated', () => {
  const { clock, resolve, asked, question } = harness();
  const results = [resolve('db')];
  clock.nowMs = 20_000;
  results.push(resolve('db'));
  assert.equal(asked.length, 1);
  question(0).answer('10.0.0.1');
  assert.deepEqual(results, [[['10.0.0.1']], [['10.0.0.1']]]);
});

test('when no address answers all are still tried', () => {
  const { resolver, resolve, question } = harness();
  resolve('db');
  question(0).answer('10.0.0.1', '10.0.0.2');
  for (const address of ['10.0.0.1', '10.0.0.2']) resolver.invalidate('db', address);
  assert.equal(resolver.addresses('db')?.length, 2);
});

test('known addresses come at once and are refreshed in the background after the ttl', () => {
  const { clock, resolver, resolve, asked, question } = harness();
  resolve('db');
  question(0).answer('10.0.0.1');
  clock.nowMs = 5000;
  assert.deepEqual(resolve('db'), [['10.0.0.1']]);
  assert.equal(asked.length, 1);
  clock.nowMs = 5001;
  assert.deepEqual(resolve('db'), [['10.0.0.1']]);
  assert.deepEqual(texts(resolver.addresses('db')), ['10.0.0.1']);
  assert.equal(asked.length, 2);
  question(1).answer('10.0.0.2');
  assert.deepEqual(resolve('db'), [['10.0.0.2']]);
});

test('while the look-up fails the last addresses serve until they are too old', () => {
  const { clock, resolver, resolve, asked, question } = harness();
  resolve('db');
  question(0).answer('10.0.0.1');
  clock.nowMs = 60_000;
  assert.deepEqual(resolve('db'), [['10.0.0.1']]);
  question(1).fail();
  assert.deepEqual(resolve('db'), [['10.0.0.1']]);
  assert.equal(asked.length, 2, 'a failed look-up is not repeated at once');
  clock.nowMs = 61_001;
  assert.equal(resolver.addresses('db'), undefined);
  const late = resolve('db');
  assert.deepEqual(late, []);
  question(2).fail();
  assert.deepEqual(late, ['ENOTFOUND']);
});

test('a host that cannot be found is asked for at most once a second', () => {
  const { clock, resolve, asked, question } = harness();
  const first = resolve('nowhere');
  question(0).fail();
  assert.deepEqual([first, resolve('nowhere')], [['ENOTFOUND'], ['ENOTFOUND']]);
  assert.equal(asked.length, 1);
  clock.nowMs = 1000;
  const next = resolve('nowhere');
  question(1).answer('10.0.0.1');
  assert.deepEqual(next, [['10.0.0.1']]);
});

test('an empty answer is a failure', () => {
  const { resolve, question } = harness();
  const results = resolve('db');
  question(0).answer();
  assert.deepEqual(results, ['db has no address']);
});

test('after invalidate the next resolve waits for a new look-up, at most one a second', () => {
  const { clock, resolver, resolve, asked, question } = harness();
  resolver.invalidate('db');
  resolve('db');
  question(0).answer('10.0.0.1');
  resolver.invalidate('db');
  clock.nowMs = 999;
  assert.deepEqual(resolve('db'), [['10.0.0.1']]);
  clock.nowMs = 1000;
  const results = resolve('db');
  assert.deepEqual(results, []);
  question(1).answer('10.0.0.2');
  assert.deepEqual(results, [['10.0.0.2']]);
  clock.nowMs = 3000;
  assert.deepEqual(resolve('db'), [['10.0.0.2']]);
  assert.equal(asked.length, 2);
});

test('a failed look-up after invalidate falls back to the last addresses', () => {
  const { clock, resolver, resolve, question } = harness();
  resolve('db');
  question(0).answer('10.0.0.1');
  resolver.invalidate('db');
  clock.nowMs = 2000;
  const results = resolve('db');
  question(1).fail();
  assert.deepEqual(results, [['10.0.0.1']]);
});

test('each answer starts from another address of the preferred family', () => {
  const { resolver, resolve, question } = harness();
  resolve('db');
  question(0).answer('::1', '::2', '10.0.0.1');
  const lists = Array.from({ length: 4 }, () => texts(resolver.addresses('db')).join(' '));
  assert.deepEqual(new Set(lists), new Set(['::1 ::2 10.0.0.1', '::2 ::1 10.0.0.1']));
  assert.notEqual(lists[0], lists[1]);
  assert.equal(lists[0], lists[2]);
});

test('an address that did not answer stands last for half a minute', () => {
  const { clock, resolver, resolve, question } = harness();
  resolve('localhost');
  question(0).answer('::1', '127.0.0.1');
  assert.deepEqual(texts(resolver.addresses('localhost')), ['::1', '127.0.0.1']);
  resolver.invalidate('localhost', '::1');
  assert.deepEqual(texts(resolver.addresses('localhost')), ['127.0.0.1', '::1']);
  clock.nowMs = 30_001;
  resolve('localhost');
  question(1).answer('::1', '127.0.0.1');
  assert.deepEqual(texts(resolver.addresses('localhost')), ['::1', '127.0.0.1']);
});

test('a changed set of addresses is reported, another order is not', () => {
  const changes: string[] = [];
  const { clock, resolve, question } = harness({
    onChange: (host, addresses) => changes.push(`${host}: ${texts(addresses).join(' ')}`),
  });
  const answers = [
    ['10.0.0.1', '10.0.0.2'],
    ['10.0.0.2', '10.0.0.1'],
    ['10.0.0.2'],
    ['10.0.0.2', '10.0.0.3'],
  ];
  answers.forEach((addresses, index) => {
    clock.nowMs += 5001;
    resolve('db');
    question(index).answer(...addresses);
  });
  assert.deepEqual(changes, ['db: 10.0.0.2', 'db: 10.0.0.2 10.0.0.3']);
});

test('a look-up that answers at once needs no waiting', () => {
  const { resolver, resolve } = harness({ lookup: (_, done) => done(null, [parse('10.0.0.1')]) });
  assert.deepEqual(texts(resolver.addresses('db')), ['10.0.0.1']);
  assert.deepEqual(resolve('db'), [['10.0.0.1']]);
});

test('many addresses are spread over no more than sixteen starts', () => {
  const { resolver, resolve, question } = harness();
  resolve('db');
  question(0).answer(...Array.from({ length: 100 }, (_, index) => `10.0.0.${index}`));
  const starts = new Set(Array.from({ length: 200 }, () => texts(resolver.addresses('db'))[0]));
  assert.equal(starts.size, 16);
});

test('without a look-up of its own it asks the system', async () => {
  const resolver = new Resolver({ clock: { now: () => 0 }, random: () => 0 });
  const found = await new Promise<readonly ResolvedAddress[]>((resolve, reject) => {
    resolver.resolve('localhost', (error, addresses) =>
      error === undefined ? resolve(addresses) : reject(error),
    );
  });
  assert.ok(found.some(({ address }) => address === '127.0.0.1' || address === '::1'));
});
