import { request } from 'node:http';
import type { TestContext } from 'node:test';
import { type AdminDeps, type AdminServer, startAdmin } from '../../src/control/admin/admin-server.ts';
import type { AdminPlan } from '../../src/control/control-plan.ts';
import type { ReloadResult } from '../../src/control/reload/reload-result.ts';
import type {
  AdminState,
  BackendRef,
  BackendStatus,
  ExplainQuestion,
  Explanation,
} from '../../src/data/port.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export function backendStatus(name: string, changes: Partial<BackendStatus> = {}): BackendStatus {
  return {
    name,
    weight: 1,
    effectiveWeight: 1,
    eligible: true,
    excludedBy: undefined,
    reason: undefined,
    admin: 'enabled',
    health: 'healthy',
    healthReason: 'status 200',
    breaker: 'closed',
    ejectedUntilMs: undefined,
    pending: 0,
    latencyMs: 1.5,
    pool: { active: 0, idle: 1, connecting: 0, queued: 0, max: 128 },
    lastSuccessAgoMs: 12,
    ...changes,
  };
}

export const EXPLANATION: Explanation = {
  path: '/db/1',
  refused: undefined,
  route: { name: '/db', host: undefined, path: '/db', methods: [], service: 'db' },
  candidates: [
    { route: '/db', chosen: true, reason: 'the longest path' },
    { route: '/', chosen: false, reason: 'a shorter path' },
  ],
  sentPath: '/1',
  service: {
    name: 'db',
    balance: 'p2c',
    eligible: 1,
    failOpen: false,
    retryBudgetRemaining: 3,
    concurrency: undefined,
    backends: [
      backendStatus('127.0.0.1:3001', { pending: 2 }),
      backendStatus('[::1]:80', {
        eligible: false,
        excludedBy: 'ejection',
        reason: 'ejected until 12:00:41: 5 failures in a row (connect_refused)',
        ejectedUntilMs: 5,
      }),
    ],
  },
  choice: '127.0.0.1:3001: the only one that is eligible',
};

/** Plain data in the data plane's place: services `db` (an IPv4 and an IPv6 backend) and `web.1`. */
export class FakeGateway implements AdminDeps {
  readonly backends = new Map<string, Map<string, BackendStatus>>([
    [
      'db',
      new Map([
        ['127.0.0.1:3001', backendStatus('127.0.0.1:3001', { pending: 7 })],
        ['[::1]:80', backendStatus('[::1]:80')],
      ]),
    ],
    ['web.1', new Map([['localhost:3000', backendStatus('localhost:3000')]])],
  ]);
  readonly said: string[] = [];
  readonly questions: ExplainQuestion[] = [];
  reloads = 0;
  ready: { ready: boolean; reasons: readonly string[] } = { ready: true, reasons: [] };
  reloadResult: ReloadResult | Promise<ReloadResult> = { ok: true, changes: [] };
  explanation: Explanation = EXPLANATION;

  readonly status: AdminDeps['status'] = () => ({
    listeners: [{ address: '127.0.0.1:8080', protocol: 'https', connections: 3, services: [] }],
    routes: [{ name: '/', host: undefined, path: '/', methods: ['GET'], service: 'db' }],
    services: [...this.backends].map(([name, backends]) => ({
      name,
      balance: 'p2c',
      backends: [...backends.values()],
      eligible: backends.size,
      failOpen: false,
      retryBudgetRemaining: 3,
      concurrency: { inFlight: 1, limit: 10, queued: 0 },
    })),
    draining: false,
  });

  readonly explain = (question: ExplainQuestion): Explanation => {
    this.questions.push(question);
    return this.explanation;
  };

  readonly setAdmin = (ref: BackendRef, state: AdminState): boolean => this.#change(ref, { admin: state });

  readonly setWeight = (ref: BackendRef, weight: number | undefined): boolean =>
    this.#change(ref, { weight: weight ?? 1 });

  readonly reload = async (): Promise<ReloadResult> => {
    this.reloads++;
    return this.reloadResult;
  };

  readonly readiness = (): { ready: boolean; reasons: readonly string[] } => this.ready;
  readonly about: () => object = () => ({ version: '0.1.0', replica: 'r1', redis: 'none' });
  readonly log: AdminDeps['log'] = (level, message) => void this.said.push(`${level} ${message}`);

  #change({ service, backend }: BackendRef, changes: Partial<BackendStatus>): boolean {
    const backends = this.backends.get(service);
    const before = backends?.get(backend);
    if (backends === undefined || before === undefined) return false;
    backends.set(backend, { ...before, ...changes });
    return true;
  }
}

export interface AdminStage {
  readonly fake: FakeGateway;
  readonly admin: AdminServer;
  readonly port: number;
  ask(path: string, asked?: Asked): Promise<Answer>;
}

/** A real admin server over plain data, closed when the test ends. */
export async function adminStage(
  test: TestContext,
  plan: Partial<AdminPlan> = {},
  deps: Partial<AdminDeps> = {},
): Promise<AdminStage> {
  const fake = new FakeGateway();
  const admin = await startAdmin(
    { host: '127.0.0.1', port: 0, token: undefined, ...plan },
    { ...fake, ...deps },
  );
  test.after(() => admin.close());
  const port = Number(new URL(admin.url).port);
  return { fake, admin, port, ask: (path, asked) => ask(port, path, asked) };
}

/** One request on a connection of its own, every header as given. */
function ask(
  port: number,
  path: string,
  { method = 'GET', headers = {}, body }: Asked = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const all = { ...length, ...headers };
    const sent = request(
      { port, host: '127.0.0.1', path, method, headers: all, agent: false },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part) => (text += part));
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
        );
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

/** A body with the content type that belongs to it. */
export function json(method: string, value: unknown): Asked {
  return { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) };
}
