import type { TestContext } from 'node:test';
import type { HttpListenerPlan, Plan } from '../../src/data/plan.ts';
import { createGateway, type Gateway } from '../../src/gateway.ts';
import { proxyPlan } from '../forward-proxy/proxy-stage.ts';
import { HTTP2 } from '../http2-clients/http2-stage.ts';
import { backendPlan, plan, routePlan, servicePlan } from '../support/plans.ts';
import { tcpListenerPlan, tcpServicePlan } from '../tcp/tcp-plans.ts';
import { certificateFor, type TestCertificate, tlsPlan } from '../tls/tls-stage.ts';
import { udpListenerPlan, udpServicePlan } from '../udp/udp-stage.ts';
import type { ChaosBackends } from './chaos-backends.ts';

/** The ports of a gateway that listens for everything it knows. */
export interface ChaosPorts {
  readonly clear: number;
  readonly tls: number;
  readonly proxied: number;
  readonly tunnel: number;
  readonly tcp: number;
  readonly sni: number;
  readonly udp: number;
}

export interface ChaosStage {
  readonly gateway: Gateway;
  readonly ports: ChaosPorts;
  readonly ca: string;
}

export async function chaosStage(t: TestContext, backends: ChaosBackends): Promise<ChaosStage> {
  const certificate = certificateFor('a.example');
  const gateway = await createGateway(chaosPlan(backends, certificate));
  t.after(() => gateway.data.destroy());
  const [clear = 0, tls = 0, proxied = 0, tunnel = 0, tcp = 0, sni = 0, udp = 0] = gateway.data.listeners.map(
    ({ port }) => port,
  );
  return { gateway, ports: { clear, tls, proxied, tunnel, tcp, sni, udp }, ca: certificate.ca };
}

const TRUSTED = { proxyProtocol: true, trustedProxies: ['127.0.0.1'] };

function chaosPlan(backends: ChaosBackends, certificate: TestCertificate): Plan {
  const http = (changes: Partial<HttpListenerPlan>) =>
    plan([], { listener: { headTimeoutMs: 1_000, bodyTimeoutMs: 1_000, ...changes } }).listeners;
  const tls = tlsPlan([certificate, certificateFor('*.b.example')]);
  const asking = tlsPlan([certificate], { clientCa: certificate.ca, clientCertificate: 'optional' });
  return {
    explainTokenSha256: undefined,
    listeners: [
      ...http({ http2: HTTP2 }),
      ...http({ tls, http2: HTTP2 }),
      ...http({ tls: asking, http2: HTTP2, ...TRUSTED }),
      ...http({ tunnel: proxyPlan() }),
      tcpListenerPlan(),
      tcpListenerPlan({
        ...TRUSTED,
        helloTimeoutMs: 1_000,
        sniServices: [{ name: 'broken.example', service: 'broken tcp' }],
      }),
      udpListenerPlan(),
    ],
    services: [
      servicePlan([backends.web]),
      servicePlan([], { name: 'web2', backends: [backendPlan(backends.web2, { protocol: 'h2c' })] }),
      servicePlan([backends.broken], { name: 'broken' }),
      servicePlan([], { name: 'broken2', backends: [backendPlan(backends.broken2, { protocol: 'h2c' })] }),
      tcpServicePlan([backends.echo]),
      tcpServicePlan([backends.brokenTcp], { name: 'broken tcp' }),
      udpServicePlan([backends.udp]),
    ],
    routes: [
      routePlan(),
      routePlan({ name: '/h2', path: '/h2', service: 'web2' }),
      routePlan({ name: '/broken', path: '/broken', service: 'broken' }),
      routePlan({ name: '/broken2', path: '/broken2', service: 'broken2' }),
    ],
  };
}
