import type { Parsed } from './parsed.ts';
import { bad, good } from './parsed.ts';

/** Where OTLP over HTTP takes traces when only a host is named. */
const USUAL_PATH = '/v1/traces';

/**
 * `http://host:4318` or the whole URL, as the exporters of OpenTelemetry take it. Complaints never show it: what is out of
 * place may be a password.
 */
export function parseOtlpUrl(text: string): Parsed<URL> {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol) || url.hostname === '')
    return bad('the URL of a collector starts with http:// or https:// and names a host');
  if (url.username !== '' || url.password !== '')
    return bad('the URL of a collector holds no user or password; say headers: { Authorization: … }');
  if (url.search !== '' || url.hash !== '') return bad('the URL of a collector has no query or fragment');
  if (url.pathname === '/') url.pathname = USUAL_PATH;
  return good(url);
}
