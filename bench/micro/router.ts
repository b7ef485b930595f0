/**
 * Prints what one look at a path and one choice of a route cost, and what the other ways to do it would:
 * `node bench/micro/router.ts`. Paths and hosts are fresh slices of a request head each time, as the codec hands them
 * over: a string that has been looked up before has its hash stored, and would flatter every Map.
 */
import { type RequestFacts, Router, type RouterEntry } from '../../gateway/src/data/router.ts';
import { canonicalHost, canonicalPath, joinRewrite, needsReading } from '../../gateway/src/data/target.ts';

const CALLS = 500_000;
const ROUNDS = 5;
const HEADS = 4096;

/** A request head with the places of its path and host. */
interface Head {
  readonly text: string;
  readonly pathEnd: number;
  readonly hostStart: number;
  readonly hostEnd: number;
}

const PATH_START = 'GET '.length;
const facts: RequestFacts = { method: 'GET', header: () => undefined };

function headOf(host: string, path: string): Head {
  const start = `GET ${path} HTTP/1.1\r\nHost: `;
  const text = Buffer.from(`${start}${host}\r\nUser-Agent: bench\r\n\r\n`).toString('latin1');
  return {
    text,
    pathEnd: PATH_START + path.length,
    hostStart: start.length,
    hostEnd: start.length + host.length,
  };
}

function pathOf(head: Head): string {
  return head.text.substring(PATH_START, head.pathEnd);
}

function hostOf(head: Head): string {
  return head.text.substring(head.hostStart, head.hostEnd);
}

/** `call` returns anything of the work's result, so that none of it can be left out. Nanoseconds of the fastest round: the others measure the neighbours on this machine. */
function fastestNs(heads: readonly Head[], calls: number, call: (head: Head) => unknown): number {
  let fastest = Number.POSITIVE_INFINITY;
  let seen: unknown;
  for (let round = 0; round < ROUNDS; round++) {
    const startMs = performance.now();
    for (let turn = 0; turn < calls; turn++) seen = call(heads[turn % heads.length] as Head) ?? seen;
    fastest = Math.min(fastest, ((performance.now() - startMs) * 1e6) / calls);
  }
  if (seen === facts) throw new Error('unreachable');
  return fastest;
}

function report(name: string, heads: readonly Head[], call: (head: Head) => unknown, calls = CALLS): void {
  console.log(`${name.padEnd(62)} ${fastestNs(heads, calls, call).toFixed(0).padStart(7)} ns`);
}

/** Routes of mixed depth and length, on one host or on one host each. */
function routes(count: number, hostOfRoute: (index: number) => string | undefined): RouterEntry<number>[] {
  return Array.from({ length: count }, (_, value) => {
    const shapes = [
      `/svc${value}`,
      `/api/v1/team${value % 97}/svc${value}`,
      `/files${value}/public`,
      `/api/o${value}`,
    ];
    const path = value === 0 ? '/' : (shapes[value % shapes.length] as string);
    return { rule: { host: hostOfRoute(value), path, methods: [], headers: [] }, value };
  });
}

/** Requests spread over the first `count` routes. */
function requestsFor(entries: readonly RouterEntry<number>[], count: number): Head[] {
  return Array.from({ length: HEADS }, (_, i) => {
    // Knuth's multiplicative hash: neighbours in time are no neighbours in memory.
    const { rule } = entries[(Math.imul(i, 0x9e3779b1) >>> 0) % count] as RouterEntry<number>;
    const host = (rule.host ?? 'www.example.com').replace('*', `tenant${i}`);
    return headOf(host, `${rule.path === '/' ? '' : rule.path}/users/${i}/profile.json`);
  });
}

const hostKinds: readonly (readonly [string, (index: number) => string | undefined])[] = [
  ['no host', () => undefined],
  ['one host', () => 'www.example.com'],
  ['a host each', (index) => `www${index}.example.com`],
  ['a wildcard each', (index) => `*.customer${index}.example.com`],
];

function measureRouter(): void {
  for (const [kind, hostOfRoute] of hostKinds) {
    const few = routes(10, hostOfRoute);
    const many = routes(10_000, hostOfRoute);
    const cases = [
      ['10 routes', few, 10],
      ['10 000 routes, traffic on 10 of them', many, 10],
      ['10 000 routes, traffic on all (cold memory)', many, 10_000],
    ] as const;
    for (const [name, entries, busy] of cases) {
      const router = new Router(entries);
      report(`find: ${kind}: ${name}`, requestsFor(entries, busy), (head) =>
        router.find(hostOf(head), pathOf(head), facts),
      );
    }
  }
}

/** What a stranger may send: the longest target there is, with as many segments or labels as go in. */
function measureHostile(): void {
  const entries = routes(10_000, () => undefined);
  const wild = routes(10_000, (index) => `*.customer${index}.example.com`);
  const router = new Router(entries);
  const wildRouter = new Router(wild);
  const segments = [headOf('h', '/a'.repeat(4096))];
  const api = [headOf('h', `/api/v1/team1${'/svc1'.repeat(1600)}`)];
  const labels = [headOf(`${'a.'.repeat(4096)}com`, '/')];
  const calls = CALLS / 10;
  report('hostile: 4096 segments', segments, (head) => router.find('h', pathOf(head), facts), calls);
  report('hostile: 1600 segments below a route', api, (head) => router.find('h', pathOf(head), facts), calls);
  report('hostile: 4096 labels', labels, (head) => wildRouter.find(hostOf(head), '/', facts), calls);
  const reading = (head: Head): unknown => canonicalPath(pathOf(head));
  report('hostile: reading 8 KiB of /%2e%2e', [headOf('h', '/%2e%2e'.repeat(1170))], reading, 500);
  report('hostile: reading 8 KiB of %2f', [headOf('h', `/${'%2f'.repeat(2730)}`)], reading, 500);
  report('hostile: reading 8 KiB of /', [headOf('h', '/'.repeat(8192))], reading, 500);
}

/** What this was chosen over: one Map lookup for each segment. */
class Trie {
  readonly #children = new Map<string, Trie>();
  #value: number | undefined;

  add(path: string, value: number): void {
    let node: Trie = this;
    for (const segment of path === '/' ? [] : path.slice(1).split('/')) {
      const child = node.#children.get(segment) ?? new Trie();
      node.#children.set(segment, child);
      node = child;
    }
    node.#value = value;
  }

  find(path: string): number | undefined {
    let node: Trie | undefined = this;
    let best = node.#value;
    for (let from = 1; from < path.length; ) {
      const slash = path.indexOf('/', from);
      const to = slash === -1 ? path.length : slash;
      node = node.#children.get(path.substring(from, to));
      if (node === undefined) break;
      best = node.#value ?? best;
      from = to + 1;
    }
    return best;
  }
}

function measureTrie(): void {
  for (const count of [10, 10_000]) {
    const entries = routes(count, () => undefined);
    const trie = new Trie();
    for (const { rule, value } of entries) trie.add(rule.path, value);
    for (const busy of count === 10 ? [10] : [10, count]) {
      const name = `other way: trie by segment: ${count} routes, traffic on ${busy}`;
      report(name, requestsFor(entries, busy), (head) => trie.find(pathOf(head)));
    }
  }
}

const plainBytes = new Uint8Array(256);
for (let byte = 0x21; byte < 0x7f; byte++)
  plainBytes[byte] = '%\\#?'.includes(String.fromCharCode(byte)) ? 0 : 1;

/** What the regex in target.ts was chosen over. */
function needsReadingByLoop(raw: string): boolean {
  let before = 0;
  for (let i = 0; i < raw.length; i++) {
    const code = raw.charCodeAt(i);
    if (plainBytes[code] !== 1 || (before === 47 && (code === 47 || code === 46))) return true;
    before = code;
  }
  return raw.charCodeAt(0) !== 47;
}

function measureTarget(): void {
  for (const length of [8, 30, 100, 8000]) {
    const heads = Array.from({ length: 64 }, (_, i) =>
      headOf('h', `/users/${i}/profile${'/segment'.repeat(length)}`.slice(0, length).replace(/\/$/, 'x')),
    );
    const calls = length > 1000 ? CALLS / 50 : CALLS;
    report(`needsReading: ${length} characters`, heads, (head) => needsReading(pathOf(head)), calls);
    report(`other way: loop: ${length} characters`, heads, (head) => needsReadingByLoop(pathOf(head)), calls);
  }
  const raws = ['/a%20b/c', '/wiki/%E6%97%A5%E6%9C%AC', '/projects/group%2Fname/x', '/%7euser/../x', '/a//b'];
  for (const raw of raws) {
    report(`canonicalPath: ${raw}`, [headOf('h', raw)], (head) => canonicalPath(pathOf(head)));
  }
  for (const host of ['www.example.com', 'www.example.com:8080', 'WWW.Example.com']) {
    report(`canonicalHost: ${host}`, [headOf(host, '/')], (head) => canonicalHost(hostOf(head)));
  }
  report('joinRewrite: /db to /', [headOf('h', '/db/users/1')], (head) => joinRewrite(pathOf(head), 3, '/'));
  report('joinRewrite: /db to /v2', [headOf('h', '/db/users/1')], (head) =>
    joinRewrite(pathOf(head), 3, '/v2'),
  );
}

report(
  'nothing but the two slices',
  requestsFor(
    routes(10, () => undefined),
    10,
  ),
  (head) => hostOf(head).length + pathOf(head).length,
);
measureRouter();
measureHostile();
measureTrie();
measureTarget();
