import { Value } from 'typebox/value';
import { addressText } from '../../address-text.ts';
import type { ExplainQuestion, Explanation } from '../../data/port.ts';
import type { AdminPlan } from '../control-plan.ts';
import { ExplanationSchema } from './status-schema.ts';

/** A gateway of this machine answers in milliseconds, if there is one. */
const PATIENCE_MS = 1_000;

/** Where a gateway with this plan is asked from its own machine; undefined: its port is not known beforehand. */
export function adminUrl({ host, port }: Pick<AdminPlan, 'host' | 'port'>): string | undefined {
  if (port === 0) return undefined;
  const address = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${addressText(address, port)}`;
}

/** What a running gateway says; undefined: none answers there within a second, or what answers is none. */
export async function askGateway(
  base: string,
  { method, target, headers, clientIp }: ExplainQuestion,
  fetch: typeof globalThis.fetch,
): Promise<Explanation | undefined> {
  const query = new URLSearchParams({ method, url: target, clientIp });
  for (const [name, value] of Object.entries(headers)) query.append('header', `${name}:${value}`);
  try {
    const answer = await fetch(`${base}/api/v1/explain?${query}`, {
      signal: AbortSignal.timeout(PATIENCE_MS),
      redirect: 'error',
    });
    if (!answer.ok) {
      await answer.body?.cancel();
      return undefined;
    }
    const explanation: unknown = await answer.json();
    // what is undefined in an Explanation is left out of its JSON
    return Value.Check(ExplanationSchema, explanation) ? (explanation as Explanation) : undefined;
  } catch {
    return undefined;
  }
}
