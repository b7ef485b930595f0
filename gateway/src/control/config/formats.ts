import { parseBackendUrl, parseListenAddress, whyNoHostName } from './addresses.ts';
import { parseCookieName, parseEditableName, parseFieldName, parseFieldValue } from './header-values.ts';
import { parseTrustedProxy } from './ip-network.ts';
import type { Parsed } from './parsed.ts';
import { bad, good, show } from './parsed.ts';
import { parseDuration, parseSize } from './quantities.ts';
import { parseMethod, parseRouteHost, parseRoutePath } from './route-values.ts';

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
  ['status-range', checkStatusRange],
  ['file-path', checkFilePath],
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

/** Says nothing of the URL itself: it may hold a password. */
function checkRedisUrl(text: string): Parsed<string> {
  if (!/^rediss?:\/\//.test(text)) return bad('the URL of Redis starts with redis:// or rediss://');
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.hostname === '')
    return bad('the URL of Redis cannot be read; it is redis://host:port');
  if (!/^\/?[0-9]{0,4}$/.test(url.pathname))
    return bad('the path in the URL of Redis is a database number, such as /0');
  return good(text);
}

function checkStatusRange(text: string): Parsed<string> {
  const match = /^([1-5][0-9]{2})(?:-([1-5][0-9]{2}))?$/.exec(text);
  if (match === null) return bad(`${show(text)} is not a status such as 200 or a range such as 200-399`);
  if (Number(match[2] ?? match[1]) < Number(match[1]))
    return bad(`${show(text)} ends before it starts`, `${match[2]}-${match[1]}`);
  return good(text);
}

function checkFilePath(text: string): Parsed<string> {
  return text === '' || text.includes('\0') ? bad(`${show(text)} is not the path of a file`) : good(text);
}
