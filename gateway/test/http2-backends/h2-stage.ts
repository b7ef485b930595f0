import type { TestContext } from 'node:test';
import type { BackendPlan, Plan, ServicePlan } from '../../src/data/plan.ts';
import type { GatewayOptions } from '../../src/gateway.ts';
import { HTTP2 } from '../http2-clients/http2-stage.ts';
import { type GatewayInTest, startGateway } from '../relay/gateway-in-test.ts';
import { plan, servicePlan } from '../support/plans.ts';

/** One service before `backends`; clients may come with HTTP/1.1 or HTTP/2. */
export function planBefore(
  backends: readonly { readonly plan: BackendPlan }[],
  service: Partial<ServicePlan> = {},
): Plan {
  const services = [servicePlan([], { backends: backends.map((backend) => backend.plan), ...service })];
  return plan([], { services, listener: { http2: HTTP2 } });
}

/** A gateway of that plan, which ends with the test. */
export function gatewayBefore(
  t: TestContext,
  backends: readonly { readonly plan: BackendPlan }[],
  service: Partial<ServicePlan> = {},
  options: GatewayOptions = {},
): Promise<GatewayInTest> {
  return startGateway(t, planBefore(backends, service), options);
}

export const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
export const POST = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc';
