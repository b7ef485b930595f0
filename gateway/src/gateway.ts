import { randomBytes } from 'node:crypto';
import type { LineWriter } from './control/access-log/line-writer.ts';
import type { LoadedConfig } from './control/config/load.ts';
import type { ControlPlan } from './control/control-plan.ts';
import { ControlPlane } from './control/control-plane.ts';
import type { Log } from './control/log.ts';
import type { ReloadResult } from './control/reload/reload-result.ts';
import type { ReloadCause } from './control/reload/reloader.ts';
import { DataPlane } from './data/data-plane.ts';
import type { Observer } from './data/forward-context.ts';
import type { ListenerPlan, Plan } from './data/plan.ts';
import type { DataPort } from './data/port.ts';
import type { Lookup } from './data/resolver.ts';
import { type Clock, type Random, systemClock } from './time.ts';

export interface GatewayOptions {
  readonly clock?: Clock;
  readonly random?: Random;
  readonly observer?: Partial<Observer>;
  readonly lookup?: Lookup;
  /** Left out: no admin port, nothing shared, a drain of 25 s. */
  readonly control?: ControlPlan;
  readonly log?: Log;
  readonly version?: string;
  /** Where a reload gets its config from. */
  readonly load?: () => LoadedConfig;
  readonly onReloaded?: (loaded: LoadedConfig & { readonly ok: true }) => void;
  /** Where an access log goes that goes to stdout, if others write there too. */
  readonly stdout?: LineWriter;
  /** 48 bytes that seal TLS session tickets: the same for gateways that resume each other's sessions. New ones, when left out. */
  readonly ticketKeys?: Buffer;
}

const TICKET_KEYS_BYTES = 48;

export interface Gateway {
  readonly data: DataPlane;
  readonly control: ControlPlane;
  /** Where the listeners listen, with the ports really in use: `https://127.0.0.1:8443`, `udp://[::1]:53`. */
  readonly urls: readonly string[];
  readonly adminUrl: string | undefined;
  reload(cause: ReloadCause): Promise<ReloadResult>;
  /** Readiness goes first, then what is under way is finished, then everything is closed. */
  stop(deadlineMs?: number): Promise<void>;
}

const ALONE: ControlPlan = {
  admin: undefined,
  redis: undefined,
  drain: { delayMs: 0, timeoutMs: 25_000 },
  log: { format: 'text', level: 'info' },
  accessLog: undefined,
  tracing: undefined,
};

/**
 * Starts a gateway; the one place that puts its parts together. Rejects, with nothing left open, when an address cannot be
 * listened on.
 */
export async function createGateway(plan: Plan, options: GatewayOptions = {}): Promise<Gateway> {
  const { clock = systemClock, random = Math.random, log = () => {} } = options;
  const { exchangeEnded = () => {}, event: onEvent = () => {} } = options.observer ?? {};
  const observer: Observer = {
    exchangeEnded,
    event: (event) => {
      onEvent(event);
      control.onEvent(event);
    },
  };
  const { lookup } = options;
  const { ticketKeys = randomBytes(TICKET_KEYS_BYTES) } = options;
  const shared = { clock, random, observer, ticketKeys };
  const data = new DataPlane(plan, { ...shared, ...(lookup === undefined ? {} : { lookup }) });
  const control = new ControlPlane(plan, options.control ?? ALONE, {
    clock,
    random,
    log,
    port: data,
    version: options.version ?? 'unknown',
    load: options.load,
    onReloaded: options.onReloaded,
    stdout: options.stdout,
  });
  await open(data, control);
  return {
    data,
    control,
    get urls() {
      return data.listeners.map(({ plan, address }) => `${schemeOf(plan)}://${address}`);
    },
    adminUrl: control.adminUrl,
    reload: (cause) => control.reload(cause),
    stop: (deadlineMs = control.drain.timeoutMs) => stop(data, control, deadlineMs),
  };
}

function schemeOf(plan: ListenerPlan): string {
  if (plan.kind !== 'http') return plan.kind;
  return plan.tls === undefined ? 'http' : 'https';
}

async function open(data: DataPlane, control: ControlPlane): Promise<void> {
  try {
    await control.begin();
    await control.openAdmin();
    await data.start();
    control.ready();
  } catch (error) {
    data.destroy();
    await control.close();
    throw error;
  }
}

async function stop(data: DataPlane, control: ControlPlane, deadlineMs: number): Promise<void> {
  control.startDraining();
  const { delayMs } = control.drain;
  // balancers before us see that we are not ready, and send no more, before we accept no more
  if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
  await data.drain(deadlineMs);
  await control.close();
}

/** Answers why requests would go where they go, by a plan alone: nothing listens, nothing is probed. */
export function offlineExplain(plan: Plan): DataPort['explain'] {
  // of what nobody has probed nothing can be said against
  const services = plan.services.map((service) => ({ ...service, health: undefined }));
  const data = new DataPlane(
    { ...plan, services },
    {
      clock: systemClock,
      random: Math.random,
      observer: { exchangeEnded() {}, event() {} },
      ticketKeys: randomBytes(TICKET_KEYS_BYTES),
    },
  );
  return (question) => data.explain(question);
}
