import type { FailureCode } from '../errors.ts';
import type { Exchange } from './exchange.ts';
import type { RequestHead } from './http1/request-head.ts';
import type { Route } from './route.ts';
import type { Router } from './router.ts';
import { canonicalPath, needsReading } from './target.ts';

/** Why a request goes nowhere. */
export class Unroutable {
  readonly code: FailureCode;
  readonly detail: string | undefined;
  readonly extraFields: string;

  constructor(code: FailureCode, detail?: string, extraFields = '') {
    this.code = code;
    this.detail = detail;
    this.extraFields = extraFields;
  }
}

/**
 * The route of a request; also sets the exchange's path. Routes and forwards go by the canonical path; where a second
 * reading of it leads elsewhere, the request goes nowhere.
 */
export function routeOf(router: Router<Route>, exchange: Exchange, head: RequestHead): Route | Unroutable {
  const host = head.routeHost;
  const bad = needsReading(head.path) ? readPath(router, exchange, host, head.path) : undefined;
  return bad ?? router.find(host, exchange.path, exchange) ?? noRoute(router, exchange, host);
}

function readPath(
  router: Router<Route>,
  exchange: Exchange,
  host: string,
  raw: string,
): Unroutable | undefined {
  const reading = canonicalPath(raw);
  if (!reading.ok) return new Unroutable('bad_path', reading.reason);
  exchange.path = reading.path;
  if (reading.decoded === undefined) return undefined;
  const same = router.find(host, reading.path, exchange) === router.find(host, reading.decoded, exchange);
  return same ? undefined : new Unroutable('ambiguous_path');
}

function noRoute(router: Router<Route>, exchange: Exchange, host: string): Unroutable {
  const allowed = router.allowedMethods(host, exchange.path, exchange);
  if (allowed.length === 0) return new Unroutable('no_route');
  return new Unroutable('method_not_allowed', undefined, `Allow: ${allowed.join(', ')}\r\n`);
}
