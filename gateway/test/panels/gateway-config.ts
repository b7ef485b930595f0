import type { ScriptedBackend } from '../resilience-path/scripted-backend.ts';
import type { DemoServices } from './demo-services.ts';

/** Requests of the shop that may be under way, and that may wait for one to end. */
export const UNDER_WAY = 6;
export const IN_LINE = 4;

/** For what is retried, and ended, as the demo has it. */
const RETRIED = ['connect-failure', 'reset', 'timeout', '500', '502', '503', '504'];

interface ConfigOptions {
  readonly demo: DemoServices;
  readonly shop: readonly ScriptedBackend[];
  readonly redisUrl: string;
  readonly adminPort: number;
  /** Files of a certificate and its key. */
  readonly certificate: { readonly cert: string; readonly key: string };
}

/**
 * The demo, and the shop: a service that has a limit for everything, so that everything can be seen to be reached. Its
 * times are short, since the test is.
 */
export function configOf({
  demo,
  shop,
  redisUrl,
  adminPort,
  certificate,
}: ConfigOptions): Readonly<Record<string, unknown>> {
  const route = (service: string): object => ({ path: `/${service}`, service, stripPrefix: true });
  return {
    listeners: [{ address: '127.0.0.1:0' }, { address: '127.0.0.1:0', tls: { certificates: [certificate] } }],
    admin: { address: `127.0.0.1:${adminPort}` },
    redis: { url: redisUrl },
    drain: { timeout: '1s' },
    defaults: {
      health: { path: '/health', interval: '500ms' },
      retry: { on: RETRIED, perTryTimeout: '1s' },
      ejection: { baseTime: '1s', maxTime: '1s' },
      slowStart: '500ms',
    },
    services: {
      web: { backends: demo.urls('web') },
      db: { backends: demo.urls('db') },
      files: { backends: demo.urls('files') },
      chat: { backends: demo.urls('chat'), balance: 'hash', hash: { clientIp: true } },
      shop: shopConfig(shop),
    },
    routes: [...['db', 'files', 'chat', 'shop'].map(route), { path: '/', service: 'web' }],
  };
}

function shopConfig(shop: readonly ScriptedBackend[]): object {
  return {
    backends: shop.map(({ name }) => `http://${name}`),
    balance: 'round-robin',
    whenNoneEligible: 'all',
    health: { path: '/health', interval: '300ms', rise: 1, fall: 1 },
    ejection: { consecutiveFailures: 3, baseTime: '1500ms', maxTime: '1500ms' },
    breaker: { minRequests: 5, window: '2s', openTime: '1s', maxOpenTime: '2s' },
    // more than the connections carry, so that requests wait at both
    concurrency: { max: UNDER_WAY, queue: IN_LINE, queueTimeout: '20s' },
    pool: { maxConnections: 2, queueTimeout: '20s' },
    // what the demo has would allow more failures than there are
    retry: { on: RETRIED, perTryTimeout: '20s', budgetPercent: 1, minPerSecond: 0 },
  };
}
