import { parseBackendUrl, parseListenAddress, whyNoHostName } from './addresses.ts';
import { parseCookieName, parseEditableName, parseFieldName, parseFieldValue } from './header-values.ts';
import { parseHedge } from './hedge.ts';
import { parseSniName } from './host-pattern.ts';
import { parseTrustedProxy } from './ip-network.ts';
import { parseOtlpUrl } from './otlp-url.ts';
import type { Parsed } from './parsed.ts';
import { bad, good, show } from './parsed.ts';
import { parsePercent } from './percent.ts';
import { parseDuration, parseSize } from './quantities.ts';
import { parseFleetName, parseRedisUrl } from './redis-url.ts';
import { parseMethod, parseRouteHost, parseRoutePath } from './route-values.ts';
import { parseStatusRange } from './status-range.ts';
import { parseTunnelTarget } from './tunnel-target.ts';

/** Whether one text value is what its schema's `format` asks for. */
export type FormatCheck = (text: string) => Parsed<unknown>;

/** Every format the schema uses, by name. */
export const FORMATS: ReadonlyMap<string, FormatCheck> = new Map<string, FormatCheck>([
  ['time-span', parseDuration],
  ['size', parseSize],
  ['listen-address', parseListenAddress],
  ['backend-url', parseBackendUrl],
  ['trusted-proxy', parseTrustedProxy],
  ['route-path', parseRoutePath],
  ['route-host', parseRouteHost],
  ['method', parseMethod],
  ['field-name', parseFieldName],
  ['editable-field-name', parseEditableName],
  ['field-value', parseFieldValue],
  ['cookie-name', parseCookieName],
  ['service-name', checkServiceName],
  ['host-name', checkHostName],
  ['request-target', checkRequestTarget],
  ['redis-url', checkRedisUrl],
  ['fleet-name', parseFleetName],
  ['hedge', parseHedge],
  ['status-range', parseStatusRange],
  ['file-path', checkFilePath],
  ['percent', parsePercent],
  ['otlp-url', checkOtlpUrl],
  ['sni-name', parseSniName],
  ['tunnel-target', parseTunnelTarget],
  ['user-name', checkUserName],
]);

function checkServiceName(text: string): Parsed<string> {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(text)) return good(text);
  return bad(
    `${show(text)} is not a name: up to 63 letters, digits, "-", "_" and ".", a letter or digit first`,
  );
}

function checkHostName(text: string): Parsed<string> {
  const wrong = whyNoHostName(text.toLowerCase());
  return wrong === undefined ? good(text) : bad(wrong);
}

function checkRequestTarget(text: string): Parsed<string> {
  if (!text.startsWith('/')) return bad(`${show(text)} does not start with /`, show(`/${text}`));
  return /^[!"$-~]+$/.test(text) ? good(text) : bad(`${show(text)} holds characters a request cannot`);
}

/** `url: ${REDIS_URL:-}`: an empty one is no Redis. */
function checkRedisUrl(text: string): Parsed<unknown> {
  return text === '' ? good(text) : parseRedisUrl(text);
}

/** `otlp: ${OTLP_URL:-}`: an empty one is no tracing. */
function checkOtlpUrl(text: string): Parsed<unknown> {
  return text === '' ? good(text) : parseOtlpUrl(text);
}

/** RFC 7617 §2: the first colon ends the name. */
function checkUserName(text: string): Parsed<string> {
  if (text !== '' && text.length <= 256 && !/[:\u0000-\u001f\u007f]/.test(text)) return good(text);
  return bad(`${show(text)} is not a user name: it holds no ":" and no control characters`);
}

function checkFilePath(text: string): Parsed<string> {
  return text === '' || text.includes('\0') ? bad(`${show(text)} is not the path of a file`) : good(text);
}
