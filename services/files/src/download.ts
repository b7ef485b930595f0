import type { FastifyReply, FastifyRequest } from 'fastify';
import { parseRange } from './byte-range.ts';
import type { FileInfo, OpenFile } from './file-store.ts';

/** Only types that cannot run script in the origin the gateway shares among all services. */
const TYPES: Readonly<Record<string, string>> = {
  txt: 'text/plain; charset=utf-8',
  json: 'application/json',
  csv: 'text/csv; charset=utf-8',
  png: 'image/png',
  jpg: 'image/jpeg',
  pdf: 'application/pdf',
};

/** Answers GET or HEAD with an open file: whole, a range, 304 or 416. The handle is closed in every case. */
export async function sendFile(
  request: FastifyRequest,
  reply: FastifyReply,
  file: OpenFile,
): Promise<FastifyReply> {
  const { info, handle } = file;
  describe(reply, info);
  if (listed(request.headers['if-none-match'], info.etag)) {
    await handle.close();
    return reply.code(304).send();
  }
  // RFC 9110 §14.2: Range is defined for GET only
  const wanted = request.method === 'GET' && rangeHolds(request, info) ? request.headers.range : undefined;
  const range = parseRange(wanted, info.size);
  if (range.kind === 'unsatisfiable') {
    await handle.close();
    reply
      .removeHeader('content-type')
      .removeHeader('content-disposition')
      .header('content-range', `bytes */${info.size}`);
    const message = `the file has ${info.size} bytes`;
    return reply.code(416).send({ statusCode: 416, code: 'RANGE_NOT_SATISFIABLE', message });
  }
  const [first, last] = range.kind === 'part' ? [range.first, range.last] : [0, info.size - 1];
  if (range.kind === 'part') reply.code(206).header('content-range', `bytes ${first}-${last}/${info.size}`);
  reply.header('content-length', last - first + 1);
  if (request.method === 'HEAD' || info.size === 0) {
    await handle.close();
    return reply.send();
  }
  return reply.send(handle.createReadStream({ start: first, end: last }));
}

function describe(reply: FastifyReply, info: FileInfo): void {
  const type = TYPES[info.name.slice(info.name.lastIndexOf('.') + 1).toLowerCase()];
  reply.header('etag', info.etag);
  reply.header('last-modified', new Date(info.modifiedMs).toUTCString());
  reply.header('accept-ranges', 'bytes');
  reply.header('x-content-type-options', 'nosniff');
  reply.header('content-type', type ?? 'application/octet-stream');
  if (type === undefined) reply.header('content-disposition', `attachment; filename="${info.name}"`);
}

/**
 * RFC 9110 §13.1.5: without a match of If-Range the Range is ignored. Only an exact, strong tag counts; a date
 * is refused, since two uploads within its one second cannot be told apart.
 */
function rangeHolds(request: FastifyRequest, info: FileInfo): boolean {
  const ifRange = request.headers['if-range'];
  return ifRange === undefined || ifRange === info.etag;
}

function listed(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  const tags = ifNoneMatch.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes('*') || tags.includes(etag);
}
