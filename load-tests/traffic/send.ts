import { check } from 'k6';
import type { RefinedResponse } from 'k6/http';
import http from 'k6/http';
import { PATIENCE_MS } from '../thresholds.ts';
import type { Call } from './calls.ts';
import { ROUTES } from './routes.ts';

/** A gateway that is down would otherwise fill the terminal. Per VU. */
const MAX_COMPLAINTS = 5;

/** Sends calls for one VU, tagged by route, and checks their answers. */
export class Sender {
  readonly #baseUrl: string;
  #complaints = 0;
  #sent = 0;

  constructor(baseUrl: string) {
    this.#baseUrl = baseUrl;
  }

  /** Undefined when the answer is not the expected one. */
  send(call: Call, tags: Readonly<Record<string, string>> = {}): RefinedResponse<'text'> | undefined {
    const { route, method, path } = call;
    const { service, idempotent } = ROUTES[route];
    this.#sent += 1;
    const requestId = `k6-${__VU}-${this.#sent}`;
    const response = http.request<'text'>(method, `${this.#baseUrl}${path}`, call.body, {
      headers: { ...call.headers, 'x-request-id': requestId },
      // `name`: k6 would make a series of every URL otherwise
      tags: { ...tags, route, service, idempotent: idempotent ? 'yes' : 'no', name: route },
      responseCallback: http.expectedStatuses(...call.statuses),
      responseType: 'text',
      timeout: PATIENCE_MS,
    });
    const right = check(
      response,
      {
        [`${route}: expected status`]: ({ status }) => call.statuses.includes(status),
        [`${route}: expected body`]: ({ body }) => call.holds(body ?? ''),
      },
      { route },
    );
    if (right) return response;
    this.#complain(call, response, { ...tags, requestId });
    return undefined;
  }

  /** With what is needed to find the request in the gateway's log. */
  #complain({ route, method, path }: Call, response: RefinedResponse<'text'>, tags: object): void {
    this.#complaints += 1;
    if (this.#complaints > MAX_COMPLAINTS) return;
    const { status, error, body, headers, timings } = response;
    const parts = [
      `${route}: ${method} ${path}: ${status === 0 ? error : status}`,
      `after ${timings.duration.toFixed(0)} ms`,
      `proxy-status ${headers['Proxy-Status'] ?? '-'}`,
      `instance ${headers['X-Instance'] ?? '-'}`,
      JSON.stringify(tags),
      (body ?? '').slice(0, 300),
    ];
    console.error(parts.join(' | '));
  }
}
