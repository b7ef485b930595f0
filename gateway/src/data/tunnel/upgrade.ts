import type { FailureCode } from '../../errors.ts';
import type { Exchange } from '../exchange.ts';
import { FIELD_ID } from '../http1/field-names.ts';
import type { RequestHead } from '../http1/request-head.ts';
import type { ResponseHead } from '../http1/response-head.ts';
import type { Route } from '../route.ts';
import type { OpenTunnels } from './open-tunnels.ts';

/**
 * The protocol an Upgrade asks for (RFC 9110 §7.8), where it may be passed on: with `Connection: upgrade`, from an
 * HTTP/1.1 client, without a body; and not to HTTP/2 in the clear, by which a client could talk past the gateway.
 */
export function upgradeOf(head: RequestHead): string {
  const upgrade = head.upgrade;
  if (upgrade === '' || head.minorVersion === 0 || head.bodyLength !== 0) return '';
  return ONE_PROTOCOL.test(upgrade) ? upgrade : '';
}

/** Why no further upgraded connection of `route` is wanted. */
export function upgradeRefusal(route: Route, tunnels: OpenTunnels): FailureCode | undefined {
  if (tunnels.isDraining) return 'shutting_down';
  return isFull(route) ? 'too_many_tunnels' : undefined;
}

export function isFull(route: Route | undefined): boolean {
  return route !== undefined && route.tunnels.open >= route.webSocket.maxConnections;
}

/** One protocol (RFC 9110 §7.8), and not HTTP/2 by any name; a backend could read more than one differently. */
const ONE_PROTOCOL = /^(?!h2|http\/)[!#$%&'*+.^_`|~0-9A-Za-z-]+(?:\/[!#$%&'*+.^_`|~0-9A-Za-z-]+)?$/i;

/**
 * What is wrong with an answer in view of the Upgrade that was asked for, or was not; undefined: nothing. A 101 must be to
 * what was asked for (RFC 9110 §7.8), by a request that is complete. A 2xx says no to an Upgrade, but to a client that asked
 * by CONNECT any of them says yes (RFC 8441 §5), and the body would pass for frames.
 */
export function upgradeFailure(
  { status, fields }: ResponseHead,
  { upgrade, bodyComplete, client }: Exchange,
): FailureCode | undefined {
  if (status === 101) {
    const isWanted = bodyComplete && upgrade !== '';
    const switched = fields.list(FIELD_ID.upgrade).toLowerCase();
    return isWanted && switched === upgrade.toLowerCase() ? undefined : 'bad_upgrade';
  }
  const isTaken = status >= 200 && status < 300 && upgrade !== '' && client.http2 === true;
  return isTaken ? 'no_upgrade' : undefined;
}
