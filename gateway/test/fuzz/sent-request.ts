import type { LlhttpMessage } from './llhttp.ts';
import type { OurRequest } from './our-requests.ts';

const HEAD =
  /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+ [\x21\x22\x24-\x5b\x5d-\x7e]+ HTTP\/1\.1\r\n(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+: (?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?\r\n)*\r\n$/;

/** Written by us, or with a rule of their own that `fieldFault` checks; all others travel untouched or not at all. */
const OURS: ReadonlySet<string> = new Set([
  ...['host', 'content-length', 'transfer-encoding', 'connection', 'te', 'expect', 'max-forwards', 'upgrade'],
  ...[
    'via',
    'forwarded',
    'x-forwarded-for',
    'x-forwarded-proto',
    'x-forwarded-host',
    'x-request-id',
    'traceparent',
  ],
  ...['x-forwarded-port', 'x-forwarded-prefix', 'x-forwarded-server', 'x-forwarded-client-cert', 'x-real-ip'],
]);
/** RFC 9110 §7.6.1, and what only the next hop is told. */
const NEVER_SENT: ReadonlySet<string> = new Set([
  ...['keep-alive', 'proxy-connection', 'proxy-authorization', 'proxy-authenticate'],
  ...['http2-settings', 'proxy-status'],
]);
/** Names whose `_` spelling CGI-like backends would take for them. */
const CONTROLLED: ReadonlySet<string> = new Set([...OURS, ...NEVER_SENT, 'trailer', 'cookie', 'date']);

/** What may not be: the fields sent for `request`, whose own head llhttp read as `received`, and how it reads `sent`. */
export function sentHeadFault(
  request: OurRequest,
  received: LlhttpMessage,
  sent: LlhttpMessage,
): string | undefined {
  if (!HEAD.test(request.sentHead)) return 'the head sent is not of the strict grammar';
  if (sent.target !== expectedTarget(received)) return 'another target is sent';
  return framingFault(request, sent) ?? singleFault(sent) ?? endToEndFault(received, sent);
}

/** RFC 9112 §3.2.2: origin-form of whatever came; made from llhttp's reading and not from ours. */
function expectedTarget(received: LlhttpMessage): string {
  const absolute = /^https?:\/\/[^/?]*(.*)$/i.exec(received.target);
  if (absolute === null) return received.target;
  const rest = absolute[1] ?? '';
  if (rest === '' && received.method === 'OPTIONS') return '*';
  return rest.startsWith('/') ? rest : `/${rest}`;
}

function framingFault(request: OurRequest, sent: LlhttpMessage): string | undefined {
  const lengths = values(sent, 'content-length');
  const codings = values(sent, 'transfer-encoding');
  if (lengths.length + codings.length > 1) return 'two fields frame what is sent';
  if (request.chunked)
    return codings[0] === 'chunked' ? undefined : 'a chunked body is sent without its coding';
  if (codings.length > 0) return 'a coding is sent that the body does not have';
  return request.body.length > 0 && lengths[0] !== String(request.body.length)
    ? 'a false length is sent'
    : undefined;
}

/** What must be there once, or at most once. */
function singleFault(sent: LlhttpMessage): string | undefined {
  if (values(sent, 'host').length !== 1) return 'not exactly one Host is sent';
  for (const name of [
    'connection',
    'expect',
    'te',
    'forwarded',
    'x-forwarded-for',
    'x-request-id',
    'traceparent',
  ]) {
    if (values(sent, name).length > 1) return `more than one ${name} is sent`;
  }
  if (sent.method === 'OPTIONS' && !/^\d{0,16}$/.test(values(sent, 'max-forwards').join(', ')))
    return 'Max-Forwards is no number';
  const connection = values(sent, 'connection')[0] ?? 'TE';
  if (connection !== 'TE' && connection !== 'Upgrade') return 'a client speaks for our connection';
  return undefined;
}

/** All that is nobody's on the way arrives, in order and unchanged, and nothing else does. */
function endToEndFault(received: LlhttpMessage, sent: LlhttpMessage): string | undefined {
  const nominated = new Set(
    values(received, 'connection')
      .join(',')
      .toLowerCase()
      .split(',')
      .map((name) => name.replace(/^[ \t]+|[ \t]+$/g, '')),
  );
  const expected: string[] = [];
  for (let i = 0; i < received.fields.length; i += 2) {
    const name = (received.fields[i] ?? '').toLowerCase();
    const travels = !OURS.has(name) && !NEVER_SENT.has(name) && !isLookalike(name);
    if (travels && !(nominated.has(name) && !CONTROLLED.has(name))) {
      expected.push(`${received.fields[i]}: ${received.fields[i + 1]}`);
    }
  }
  const found: string[] = [];
  for (let i = 0; i < sent.fields.length; i += 2) {
    const name = (sent.fields[i] ?? '').toLowerCase();
    if (NEVER_SENT.has(name) || isLookalike(name)) return `${name} is sent`;
    if (!OURS.has(name)) found.push(`${sent.fields[i]}: ${sent.fields[i + 1]}`);
  }
  return found.join('\n') === expected.join('\n') ? undefined : 'other end-to-end fields are sent than came';
}

function isLookalike(name: string): boolean {
  return name.includes('_') && CONTROLLED.has(name.replaceAll('_', '-'));
}

function values(message: LlhttpMessage, name: string): readonly string[] {
  const found: string[] = [];
  for (let i = 0; i < message.fields.length; i += 2) {
    const candidate = message.fields[i] ?? '';
    if (candidate.length === name.length && candidate.toLowerCase() === name)
      found.push(message.fields[i + 1] ?? '');
  }
  return found;
}
