import type { Exchange } from './exchange.ts';
import { grpcCallOf } from './grpc/grpc-call.ts';
import type { RequestHead } from './http1/request-head.ts';
import type { RequestHeaders } from './request-headers.ts';
import { keepBodyBytes } from './retry.ts';
import type { Route } from './route.ts';
import { joinRewrite } from './target.ts';
import { upgradeOf } from './tunnel/upgrade.ts';

/** Writes the head for the backend, the same for every attempt, and what else is known of the request by it. */
export function prepareRequest(
  exchange: Exchange,
  route: Route,
  head: RequestHead,
  headers: RequestHeaders,
): void {
  const { rewrite, prefixLength } = route;
  const path = rewrite === undefined ? exchange.path : joinRewrite(exchange.path, prefixLength, rewrite);
  exchange.upgrade = head.upgrade === '' ? '' : upgradeOf(head);
  const sameLine = path === head.path && head.minorVersion === 1 && !head.absolute;
  const requestLine = sameLine ? undefined : `${head.method} ${path}${head.query} HTTP/1.1\r\n`;
  exchange.requestHead = headers.write(exchange, head, requestLine);
  const { overHttp2 } = route.service;
  if (overHttp2) exchange.grpc = grpcCallOf(head);
  exchange.keepBodyBytes = keepBodyBytes(route.retry, head, overHttp2);
  // it came whole with its head, but may be sent only once all the same
  if (exchange.body.length > exchange.keepBodyBytes) exchange.bodyLost = true;
}
