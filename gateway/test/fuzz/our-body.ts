import { ChunkedDecoder, type ChunkedOutput } from '../../src/data/http1/chunked.ts';
import { CHUNKED } from '../../src/data/http1/request-head.ts';
import { latin1 } from '../../src/data/latin1.ts';
import type { Random } from './random.ts';

/** What our codec makes of a body. */
export interface OurBody {
  /** What is sent on. */
  readonly sent: string;
  /** Where it ends, or where reading stopped. */
  readonly end: number;
  readonly state: 'complete' | 'incomplete' | 'broken';
}

/** A body of a known length. */
export function readLength(bytes: Buffer, start: number, end: number, length: number): OurBody {
  const until = Math.min(end, start + length);
  return {
    sent: latin1(bytes, start, until),
    end: until,
    state: until - start === length ? 'complete' : 'incomplete',
  };
}

/** A chunked body that arrives in reads of random length; `random` undefined: in one. */
export function readChunked(
  bytes: Buffer,
  start: number,
  end: number,
  output: ChunkedOutput,
  random: Random | undefined,
): OurBody {
  let sent = '';
  const sink = {
    bodyText: (text: string) => {
      sent += text;
    },
    bodyBytes: (from: Buffer, first: number, last: number) => {
      sent += latin1(from, first, last);
    },
  };
  const decoder = new ChunkedDecoder(output);
  let at = start;
  while (at < end && !decoder.done) {
    const until = random === undefined ? end : Math.min(end, at + pieceLength(random));
    const next = decoder.decode(bytes, at, until, sink);
    if (next < 0) return { sent, end: at, state: 'broken' };
    if (!decoder.done && next !== until)
      throw new Error(`the decoder left ${until - next} bytes of a body unread`);
    at = next;
  }
  return { sent, end: at, state: decoder.done ? 'complete' : 'incomplete' };
}

/** Short ones most of all: cuts inside CRLF and chunk sizes are where state gets lost. */
function pieceLength(random: Random): number {
  return random.oneIn(3) ? 1 : 1 + random.below(random.oneIn(4) ? 400 : 12);
}

/** Reads the same body twice more, cut elsewhere, and as payload. Says what depends on the cuts. */
export function bodyOnCuts(
  bytes: Buffer,
  start: number,
  end: number,
  whole: OurBody,
  random: Random,
): string | undefined {
  const cut = readChunked(bytes, start, end, 'framed', random);
  if (cut.state !== whole.state)
    return `a chunked body cut into reads is ${cut.state}, in one read ${whole.state}`;
  if (whole.state === 'broken') return undefined;
  if (cut.end !== whole.end) return 'the end of a chunked body depends on the cuts';
  const payload = readChunked(bytes, start, end, 'payload', random);
  if (payload.state !== whole.state || payload.end !== whole.end)
    return 'a chunked body read as payload ends elsewhere';
  if (cut.state === 'complete' && !isPlainChunked(cut.sent)) return 'a chunk size is not plain after a cut';
  return meaning(cut.sent) === meaning(whole.sent) && readText(cut.sent) === payload.sent
    ? undefined
    : 'what is sent of a chunked body depends on the cuts';
}

/** Chunked text without what may differ: an unfinished last chunk head that has been held back or not, and case. */
function meaning(chunked: string): string {
  return readText(chunked) + trailerText(chunked);
}

function readText(chunked: string): string {
  const bytes = Buffer.from(`${chunked}\0`, 'latin1');
  return readChunked(bytes, 0, chunked.length, 'payload', undefined).sent;
}

/** What follows the last chunk. */
function trailerText(chunked: string): string {
  return walkChunks(chunked) ?? '';
}

/** Whether chunks are written as strictly as can be: a size without leading zeros, nothing after it. */
export function isPlainChunked(chunked: string): boolean {
  return walkChunks(chunked) !== undefined;
}

/** Steps from size to size; what follows the last chunk's, or undefined where a size is not plain. */
function walkChunks(chunked: string): string | undefined {
  let at = 0;
  for (;;) {
    const end = chunked.indexOf('\r\n', at);
    const size = chunked.slice(at, end);
    if (end < 0 || !/^(?:0|[1-9a-fA-F][0-9a-fA-F]*)$/.test(size)) return undefined;
    if (size === '0') return chunked.slice(end + 2);
    at = end + 2 + Number.parseInt(size, 16) + 2;
  }
}

export { CHUNKED };
