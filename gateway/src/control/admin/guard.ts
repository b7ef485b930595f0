import { createHash, timingSafeEqual } from 'node:crypto';
import { BlockList, isIP } from 'node:net';
import type { AdminPlan } from '../control-plan.ts';
import type { AdminProblem } from './problem.ts';

/** What a request says of who sent it; undefined where it says nothing. */
export interface Caller {
  /** Host, or the authority of an absolute-form target. */
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly fetchSite: string | undefined;
  readonly authorization: string | undefined;
}

export interface Guard {
  /** Why this caller may not even read; undefined: it may. */
  refuseReader(caller: Caller): AdminProblem | undefined;
  /** Why this caller may not change anything; undefined: it may. */
  refuseWriter(caller: Caller): AdminProblem | undefined;
}

/**
 * Who may do what. A loopback address takes everybody on the machine at their word, except browsers that a foreign page has
 * led there: by a name that it lets resolve to us (DNS rebinding), or by a request of its own (CSRF).
 */
export function createGuard({ host, token }: Pick<AdminPlan, 'host' | 'token'>): Guard {
  const isLocal = isLoopback(host);
  return {
    refuseReader: (caller) => (isLocal && !isAddress(caller.host) ? FOREIGN_HOST : undefined),
    refuseWriter: (caller) => {
      if (token !== undefined) return refuseWithoutToken(caller.authorization, token);
      if (!isLocal) return NO_TOKEN_SET;
      return isForeignPage(caller) ? FOREIGN_PAGE : undefined;
    },
  };
}

const FOREIGN_HOST: AdminProblem = {
  status: 403,
  detail:
    'on a loopback address, Host is an IP address or localhost, so that no foreign name can lead a browser here',
};

const FOREIGN_PAGE: AdminProblem = {
  status: 403,
  detail: 'a page of another origin may change nothing here (Origin, Sec-Fetch-Site)',
};

const CHALLENGE = 'Bearer realm="portway admin"';

const NO_TOKEN_SET: AdminProblem = {
  status: 401,
  detail:
    'nothing can be changed here: the admin address is not loopback, so admin.token must be set in the config and sent as Authorization: Bearer',
  headers: { 'www-authenticate': CHALLENGE },
};

const TOKEN_MISSING: AdminProblem = {
  status: 401,
  detail: 'changes need Authorization: Bearer with the config’s admin.token',
  headers: { 'www-authenticate': CHALLENGE },
};

// RFC 6750 §3.1
const TOKEN_WRONG: AdminProblem = {
  status: 401,
  detail: 'this is not the config’s admin.token',
  headers: { 'www-authenticate': `${CHALLENGE}, error="invalid_token"` },
};

function refuseWithoutToken(authorization: string | undefined, token: string): AdminProblem | undefined {
  const sent = /^bearer +(.*)$/i.exec(authorization ?? '')?.[1];
  if (sent === undefined) return TOKEN_MISSING;
  return timingSafeEqual(sha256(sent), sha256(token)) ? undefined : TOKEN_WRONG;
}

/** Hashes are of equal length, which is what timingSafeEqual asks for, and tell nothing of the token's length. */
function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/**
 * Whether a Host can be no name of somebody's choosing: an IP literal or localhost, with or without a port. A request
 * without Host (HTTP/1.0) is no browser's.
 */
function isAddress(host: string | undefined): boolean {
  if (host === undefined) return true;
  const match = /^(?:\[([^\]]*)\]|([^:]*))(?::[0-9]*)?$/.exec(host);
  if (match === null) return false;
  const [, six, name = ''] = match;
  if (six !== undefined) return isIP(six) === 6;
  return isIP(name) === 4 || name.toLowerCase() === 'localhost';
}

/** Host was found to be an address before, so an Origin equal to it is a page of ours. */
function isForeignPage({ host, origin, fetchSite }: Caller): boolean {
  if (origin !== undefined && (host === undefined || origin.toLowerCase() !== `http://${host.toLowerCase()}`))
    return true;
  return fetchSite !== undefined && fetchSite !== 'same-origin' && fetchSite !== 'none';
}

/** Whether an IP address is reached only from its own machine. */
export function isLoopback(address: string): boolean {
  const loopback = new BlockList();
  loopback.addSubnet('127.0.0.0', 8, 'ipv4');
  loopback.addAddress('::1', 'ipv6');
  // IPv4-mapped IPv6 addresses are matched by the IPv4 rule
  return loopback.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}
