import type { LlhttpMessage } from './llhttp.ts';

const HEAD =
  /^HTTP\/1\.1 [1-5][0-9]{2} [\t\x20-\x7e\x80-\xff]*\r\n(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+: (?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?\r\n)*\r\n/;

const NEVER_SENT: ReadonlySet<string> = new Set([
  ...[
    'keep-alive',
    'proxy-connection',
    'te',
    'upgrade',
    'proxy-authenticate',
    'proxy-authorization',
    'http2-settings',
  ],
]);
/** Written by us, or framed anew. */
const OURS: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'transfer-encoding',
  'date',
  'via',
]);

/** What may not be, in `text` that llhttp read as `sent`, for the response it had read as `received`. */
export function sentResponseFault(
  text: string,
  received: LlhttpMessage,
  sent: LlhttpMessage,
): string | undefined {
  if (!HEAD.test(text)) return 'the head sent is not of the strict grammar';
  const length = values(sent, 'content-length');
  const coding = values(sent, 'transfer-encoding');
  if (length.length + coding.length > 1) return 'two fields frame what is sent';
  const { status } = received;
  if ((status < 200 || status === 204) && length.length + coding.length > 0)
    return 'a framing field is sent without a body';
  if (length.length > 0 && length[0] !== values(received, 'content-length')[0])
    return 'another length is sent';
  return endToEndFault(received, sent);
}

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
    if (!OURS.has(name) && !NEVER_SENT.has(name) && !nominated.has(name)) {
      expected.push(`${received.fields[i]}: ${received.fields[i + 1]}`);
    }
  }
  const found: string[] = [];
  for (let i = 0; i < sent.fields.length; i += 2) {
    const name = (sent.fields[i] ?? '').toLowerCase();
    if (NEVER_SENT.has(name)) return `${name} is sent`;
    if (!OURS.has(name)) found.push(`${sent.fields[i]}: ${sent.fields[i + 1]}`);
  }
  return found.join('\n') === expected.join('\n') ? undefined : 'other end-to-end fields are sent than came';
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
