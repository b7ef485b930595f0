import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type TestContext, test } from 'node:test';
import { EXPLAIN_USAGE, explainCommand } from '../../src/control/explain-command.ts';
import type { Plan } from '../../src/data/plan.ts';
import type { ExplainQuestion, Explanation } from '../../src/data/port.ts';
import { adminStage, backendStatus, EXPLANATION } from './admin-stage.ts';

const REST =
  'services: { db: { backends: ["http://127.0.0.1:3001"] } }\nroutes: [{ path: /db, service: db }]\n';
const refuse: typeof fetch = () => Promise.reject(new TypeError('nobody there'));

interface Run {
  readonly code: number;
  readonly output: string;
  readonly plans: readonly Plan[];
  readonly questions: readonly ExplainQuestion[];
}

async function run(
  args: readonly string[],
  {
    config = REST,
    explanation = EXPLANATION,
    fetch,
  }: {
    readonly config?: string | Error;
    readonly explanation?: Explanation;
    readonly fetch?: typeof globalThis.fetch;
  } = {},
): Promise<Run> {
  let output = '';
  const plans: Plan[] = [];
  const questions: ExplainQuestion[] = [];
  const code = await explainCommand(args, {
    env: {},
    nowMs: 0,
    readFile: () => {
      if (typeof config !== 'string') throw config;
      return config;
    },
    write: (text) => {
      output += text;
    },
    offline: (plan) => {
      plans.push(plan);
      return (question) => {
        questions.push(question);
        return explanation;
      };
    },
    ...(fetch && { fetch }),
  });
  return { code, output, plans, questions };
}

const FILE = ['--config', 'gw.yaml'] as const;
const NO_ADMIN = `admin: false\n${REST}`;

test('without a gateway, the config alone answers, and it says so', async () => {
  const config = `admin: { address: "127.0.0.1:9907" }\n${REST}`;
  const { code, output, plans, questions } = await run(['GET', 'http://h/db/1', ...FILE], {
    config,
    fetch: refuse,
  });
  assert.equal(
    output,
    `GET /db/1 for h
answered from the config alone: no gateway answers at http://127.0.0.1:9907

route    /db: the longest path
         not /: a shorter path
sent     GET /1
service  db, balance p2c, 1 of 2 backends eligible
  in   127.0.0.1:3001  weight 1, 2 pending, 1.5 ms
  out  [::1]:80        ejected until 12:00:41: 5 failures in a row (connect_refused)
goes to  127.0.0.1:3001: the only one that is eligible
`,
  );
  assert.equal(code, 0);
  assert.equal(plans[0]?.services[0]?.name, 'db');
  assert.deepEqual(questions, [
    { method: 'GET', host: 'h', target: '/db/1', headers: { host: 'h' }, clientIp: '127.0.0.1' },
  ]);
});

test('a running gateway is asked, with all of the question', async (t) => {
  const { admin, fake } = await adminStage(t);
  const config = `admin: { address: "${new URL(admin.url).host}" }\n${REST}`;
  const args = [
    'post',
    'http://H:80/a%2F?x=1+2&y=%26',
    '-H',
    'X-A: b, c',
    '-H',
    'Host: www.example.com',
    '--client-ip',
    '2001:db8::1',
  ];
  const { code, output, plans } = await run([...args, ...FILE], { config });
  assert.equal(
    output.split('\n', 2).join('\n'),
    `POST /a%2F?x=1+2&y=%26 for www.example.com\nasked the gateway at ${admin.url}`,
  );
  assert.equal(code, 0);
  assert.deepEqual(plans, []);
  assert.deepEqual(fake.questions, [
    {
      method: 'POST',
      host: 'www.example.com',
      target: '/a%2F?x=1+2&y=%26',
      headers: { 'x-a': 'b, c', host: 'www.example.com' },
      clientIp: '2001:db8::1',
    },
  ]);
});

test('a refused request exits 3 and names the failure', async () => {
  const explanation: Explanation = {
    path: '/db',
    refused: 'no_route',
    route: undefined,
    candidates: [{ route: '/db', chosen: false, reason: 'it takes only POST' }],
    sentPath: undefined,
    service: undefined,
    choice: undefined,
  };
  const { code, output } = await run(['GET', '//db', ...FILE], { config: NO_ADMIN, explanation });
  assert.equal(
    output,
    `GET //db (for no host)
answered from the config alone: it has no admin address

path     read as /db
route    none
         not /db: it takes only POST
refused  no_route: 404, No route matches this host and path
`,
  );
  assert.equal(code, 3);
});

test('a target that is refused has no path', async () => {
  const nothing = {
    route: undefined,
    candidates: [],
    sentPath: undefined,
    service: undefined,
    choice: undefined,
  };
  const explanation: Explanation = { path: undefined, refused: 'bad_path', ...nothing };
  const { code, output } = await run(['GET', '/../x', ...FILE], { config: NO_ADMIN, explanation });
  assert.equal(
    output.split('\n')[3],
    'refused  bad_path: 400, The path is malformed or climbs above the root',
  );
  assert.equal(code, 3);
});

test('fail-open, slow start and what nobody said are shown; control characters are not', async () => {
  assert.ok(EXPLANATION.service);
  const service = {
    ...EXPLANATION.service,
    eligible: 0,
    failOpen: true,
    backends: [
      backendStatus('a:1', { weight: 10, effectiveWeight: 2.468, latencyMs: 0 }),
      backendStatus('bb:1', {
        eligible: false,
        excludedBy: 'health',
        reason: 'status 500 \u001b[2J\n\u009b1m',
      }),
      backendStatus('c:1', { eligible: false, excludedBy: 'admin' }),
    ],
  };
  const explanation: Explanation = { ...EXPLANATION, candidates: [], service, choice: undefined };
  const { output } = await run(['GET', '/db', ...FILE], { config: NO_ADMIN, explanation });
  assert.equal(
    output.split('\n').slice(4).join('\n'),
    `route    /db: chosen
sent     GET /1
service  db, balance p2c, 0 of 3 backends eligible
         none is eligible, so all are tried (whenNoneEligible: all)
  in   a:1   weight 10 (now 2.5: starting slowly), 0 pending
  out  bb:1  status 500 \ufffd[2J\ufffd\ufffd1m
  out  c:1   admin
goes to  one of them
`,
  );
});

test('--json prints the explanation and who gave it', async () => {
  const { code, output } = await run(['GET', '/db', '--json', ...FILE], { config: NO_ADMIN });
  assert.deepEqual(JSON.parse(output), {
    source: 'answered from the config alone: it has no admin address',
    ...JSON.parse(JSON.stringify(EXPLANATION)),
  });
  assert.ok(output.endsWith('}\n'));
  assert.equal(code, 0);
});

test('without --config the embedded config is meant', async () => {
  const { code, plans } = await run(['GET', '/db'], { config: new Error('nothing is read'), fetch: refuse });
  assert.equal(code, 0);
  assert.deepEqual(
    plans[0]?.services.map(({ name }) => name),
    ['web', 'db', 'files', 'chat'],
  );
});

test('a config that is wrong is told as check tells it, exit 1', async () => {
  const wrong = await run(['GET', '/', ...FILE], { config: `zebra: 1\n${REST}` });
  assert.equal(wrong.code, 1);
  assert.match(wrong.output, /^gw\.yaml:1:1: .*zebra.*\n$/);
  const gone = await run(['GET', '/', ...FILE], {
    config: Object.assign(new Error('x'), { code: 'ENOENT' }),
  });
  assert.deepEqual([gone.code, gone.output], [1, 'gw.yaml: cannot be read (ENOENT)\n']);
});

test('wrong usage says what is wrong and how it goes, exit 2', async () => {
  const cases: readonly (readonly [args: readonly string[], problem: RegExp])[] = [
    [[], /METHOD/],
    [['GET'], /one URL/],
    [['GET', '/', '/'], /one URL/],
    [['GET', 'db'], /url: is neither/],
    [['G T', '/'], /method: /],
    [['GET', '/', '-H', 'x'], /header: is not Name:value/],
    [['GET', '/', '-H'], /-H/],
    [['GET', '/', '--client-ip', 'me'], /--client-ip: me is not/],
    [['GET', '/', '--verbose'], /--verbose/],
  ];
  for (const [args, problem] of cases) {
    const { code, output, plans } = await run(args, { config: NO_ADMIN });
    assert.equal(code, 2, args.join(' '));
    assert.match(output.split('\n')[0] ?? '', problem);
    assert.ok(output.startsWith('portway explain: ') && output.endsWith(EXPLAIN_USAGE));
    assert.deepEqual(plans, []);
  }
});

/** Something else that listens where the gateway should. */
async function stranger(t: TestContext, status: number, body: string, location = '/x'): Promise<string> {
  const server = createServer((_request, response) => response.writeHead(status, { location }).end(body));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return `127.0.0.1:${address.port}`;
}

test('what is no Portway is not believed', async (t) => {
  for (const [status, body] of [
    [200, '<html>'],
    [200, '{}'],
    [200, '{"candidates":[{"route":1}]}'],
    [404, '{"candidates":[]}'],
    [302, ''],
  ] as const) {
    const address = await stranger(t, status, body);
    const { code, output } = await run(['GET', '/', ...FILE], {
      config: `admin: { address: "${address}" }\n${REST}`,
    });
    assert.equal(
      output.split('\n')[1],
      `answered from the config alone: no gateway answers at http://${address}`,
    );
    assert.equal(code, 0);
  }
});

test('nobody is followed elsewhere', async (t) => {
  const { admin, fake } = await adminStage(t);
  const address = await stranger(t, 302, '', `${admin.url}/api/v1/explain?url=/`);
  const { output } = await run(['GET', '/', ...FILE], {
    config: `admin: { address: "${address}" }\n${REST}`,
  });
  assert.match(output, /from the config alone/);
  assert.deepEqual(fake.questions, []);
});

test('a gateway on every address is asked on loopback, and one on any port is not', async () => {
  const asked: string[] = [];
  const note: typeof fetch = (url) => {
    asked.push(String(url).split('/api')[0] ?? '');
    return Promise.reject(new TypeError('nobody there'));
  };
  const sources: string[] = [];
  for (const address of ['0.0.0.0:9901', '[::]:9902', '[::1]:9903', '10.1.2.3:9904', '127.0.0.1:0']) {
    const config = `admin: { address: "${address}", token: t }\n${REST}`;
    sources.push((await run(['GET', '/', ...FILE], { config, fetch: note })).output.split('\n')[1] ?? '');
  }
  assert.deepEqual(asked, [
    'http://127.0.0.1:9901',
    'http://[::1]:9902',
    'http://[::1]:9903',
    'http://10.1.2.3:9904',
  ]);
  assert.equal(sources.at(-1), 'answered from the config alone: its admin port is not fixed');
});

test('a gateway that says nothing is waited for a second', async () => {
  const signals: AbortSignal[] = [];
  const hang: typeof fetch = (_url, init) =>
    new Promise((_resolve, reject) => {
      assert.ok(init?.signal);
      signals.push(init.signal);
      init.signal.addEventListener('abort', () => reject(new Error('aborted')));
    });
  const { output } = await run(['GET', '/', ...FILE], {
    config: `admin: { address: "127.0.0.1:9" }\n${REST}`,
    fetch: hang,
  });
  assert.equal(signals.length, 1);
  assert.match(output, /from the config alone/);
});
