import type { RequestHead } from '../http1/request-head.ts';
import { type Problem, problemFor } from '../problem.ts';

const HTTPS_PORT = 443;

/**
 * Sends a client to the same URL under https, for good: 308, which keeps the method and the body (RFC 9110 §15.4.9).
 * Undefined for what has no URL of its own: `OPTIONS *` and CONNECT.
 */
export function redirectToHttps(head: RequestHead, port: number): Problem | undefined {
  if (head.method === 'CONNECT' || !head.path.startsWith('/')) return undefined;
  const host = withoutPort(head.host);
  // HTTP/1.0 may come without Host, and there is no name of ours to put in its place
  if (host === '') return problemFor('bad_host', 'Only a Host tells where https is', '');
  const authority = port === HTTPS_PORT ? host : `${host}:${port}`;
  const location = `https://${authority}${head.path}${head.query}`;
  return {
    status: 308,
    head: `HTTP/1.1 308 Permanent Redirect\r\nLocation: ${location}\r\nContent-Length: 0\r\n`,
    body: '',
  };
}

function withoutPort(host: string): string {
  return host.replace(/:\d*$/, '');
}
