import { FIELD_ID } from '../http1/field-names.ts';
import type { RequestHead } from '../http1/request-head.ts';
import { framingFields, nominatedFields } from '../request-headers.ts';
import { authorityOf, type ProxyTarget } from './proxy-target.ts';

const DROPPED = new Uint8Array(32);
const drop = (...names: (keyof typeof FIELD_ID)[]): void => {
  for (const name of names) DROPPED[FIELD_ID[name]] = 1;
};
// RFC 9110 §7.6.1, and what is written anew
drop('connection', 'keep-alive', 'proxy-connection', 'te', 'transfer-encoding', 'upgrade', 'content-length');
drop('proxy-authorization', 'proxy-authenticate', 'http2-settings', 'lookalike', 'expect', 'proxy-status');
drop('host', 'x-portway-explain');
// a destination may take the word of this gateway for who its clients are, which by this way no client may give
drop('x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-forwarded-port', 'x-forwarded-prefix');
drop('x-forwarded-server', 'x-forwarded-client-cert', 'x-real-ip', 'forwarded');

/**
 * The head of a request in absolute-form for where it is to go (RFC 9112 §3.2.2): in origin-form, with Host from its
 * target and Via (RFC 9110 §7.6.3). Nothing is added that would tell who the client is.
 */
export function proxyHead(head: RequestHead, target: ProxyTarget, upgrade: string): string {
  const { fields, method, path, query } = head;
  const nominated = fields.has(FIELD_ID.connection)
    ? nominatedFields(fields.list(FIELD_ID.connection))
    : undefined;
  let text = `${method} ${path}${query} HTTP/1.1\r\nHost: ${authorityOf(target, 80)}\r\n`;
  for (let i = 0; i < fields.count; i++) {
    const id = fields.ids[i] ?? 0;
    if (DROPPED[id] !== 0 || (id === FIELD_ID['max-forwards'] && method === 'OPTIONS')) continue;
    const name = fields.name(i);
    // as elsewhere, Connection cannot take away what the gateway acts on
    if (id === FIELD_ID.other && nominated?.has(name.toLowerCase())) continue;
    text += `${name}: ${fields.value(i)}\r\n`;
  }
  return `${text}${framingFields(head, upgrade)}Via: 1.${head.minorVersion} portway\r\n\r\n`;
}
