import { isIP } from 'node:net';
import type { ExplainQuestion } from '../../data/port.ts';
import { canonicalHost } from '../../data/target.ts';

/** A question as people put it. */
export interface RawQuestion {
  readonly method: string;
  /** Absolute (http or https), or a path. */
  readonly url: string;
  /** `Name: value` each. */
  readonly headers: readonly string[];
  readonly clientIp: string;
}

export type ReadQuestion =
  | { readonly ok: true; readonly question: ExplainQuestion }
  | { readonly ok: false; readonly field: 'method' | 'url' | 'header' | 'clientIp'; readonly detail: string };

type Wrong = Extract<ReadQuestion, { ok: false }>;

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const ABSOLUTE = /^https?:\/\/([^/?#]*)([^#]*)/i;
const AUTHORITY = /^(?:\[[0-9A-Fa-f:.]+\]|[^\s:@/[\]]+)(?::[0-9]*)?$/;

/** Turns a question as people put it into the data plane's. Dots and escapes of the path stay as they are. */
export function readQuestion({ method, url, headers, clientIp }: RawQuestion): ReadQuestion {
  if (!TOKEN.test(method)) return wrong('method', 'method: is not a method such as GET');
  const absolute = ABSOLUTE.exec(url);
  if (absolute === null && !url.startsWith('/'))
    return wrong('url', 'url: is neither a path nor an absolute http or https URL');
  if (/[^!-~]/.test(url)) return wrong('url', 'url: spaces and what is not ASCII must be percent-encoded');
  const fields = readFields(headers);
  if ('ok' in fields) return fields;
  // as with curl, a Host field says more than the URL
  const host = fields.get('host') ?? absolute?.[1];
  if (host !== undefined && !AUTHORITY.test(host))
    return fields.has('host')
      ? wrong('header', 'header: Host is not a host with or without a port')
      : wrong('url', 'url: its host cannot be read (and holds no user or password)');
  if (isIP(clientIp) === 0) return wrong('clientIp', 'clientIp: is not an IP address');
  if (host !== undefined) fields.set('host', host);
  return {
    ok: true,
    question: {
      method,
      host: canonicalHost(host ?? ''),
      target: targetOf(absolute?.[2] ?? url.replace(/#.*/, '')),
      headers: Object.fromEntries(fields),
      clientIp,
    },
  };
}

function targetOf(rest: string): string {
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/** Fields of one name become one value, as a server reads them (RFC 9110 §5.3; RFC 6265 §5.4 for cookies). */
function readFields(headers: readonly string[]): Map<string, string> | Wrong {
  const fields = new Map<string, string>();
  for (const header of headers) {
    const colon = header.indexOf(':');
    const name = header.slice(0, Math.max(colon, 0)).toLowerCase();
    const value = header.slice(colon + 1).trim();
    if (!TOKEN.test(name)) return wrong('header', 'header: is not Name:value');
    if (/[^\t -~\x80-\xff]/.test(value))
      return wrong('header', `header: the value of ${name} holds control characters`);
    const before = fields.get(name);
    if (name === 'host' && before !== undefined) return wrong('header', 'header: Host is there twice');
    fields.set(name, before === undefined ? value : `${before}${name === 'cookie' ? '; ' : ', '}${value}`);
  }
  return fields;
}

function wrong(field: Wrong['field'], detail: string): Wrong {
  return { ok: false, field, detail };
}
