import http from 'k6/http';
import type { Backend } from './backends.ts';
import type { Order } from './faults.ts';

/** Not the users' requests: `idempotent: control` keeps them out of every threshold. */
export const CONTROL = {
  tags: { route: 'chaos.control', idempotent: 'control', name: 'chaos.control' },
  // a backend that was killed answers nothing, 0, which is as it should be
  responseCallback: http.expectedStatuses({ min: 0, max: 599 }),
  timeout: '2s',
} as const;

const JSON_TYPE = { 'content-type': 'application/json' };

/** Gives all backends the same order at once. Returns those that did not take it, and what they said. */
export function order(backends: readonly Backend[], wanted: Order): string[] {
  return send(backends, (url) =>
    wanted.kind === 'crash'
      ? { method: 'POST', url: `${url}/knobs/crash`, params: CONTROL }
      : {
          method: 'PUT',
          url: `${url}/knobs`,
          body: JSON.stringify(wanted.knobs),
          params: { ...CONTROL, headers: JSON_TYPE },
        },
  );
}

/** Puts all knobs back. Returns those backends that did not answer, and why. */
export function restore(backends: readonly Backend[]): string[] {
  return send(backends, (url) => ({ method: 'DELETE', url: `${url}/knobs`, params: CONTROL }));
}

interface ControlRequest {
  readonly method: string;
  readonly url: string;
  readonly body?: string;
  readonly params: object;
}

function send(backends: readonly Backend[], build: (url: string) => ControlRequest): string[] {
  const requests = backends.map(({ address }) => build(`http://${address}`));
  const responses = http.batch(requests);
  return backends.flatMap(({ label, address }, index) => {
    const { status, error } = responses[index] ?? { status: 0, error: 'no answer' };
    return status === 200 || status === 202 ? [] : [`${label} (${address}): ${status || error}`];
  });
}
