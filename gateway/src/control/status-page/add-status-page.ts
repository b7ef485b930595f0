import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ProblemError } from '../admin/problem.ts';
import { answers } from '../admin/schemas.ts';
import type { LiveFeed } from './live-feed.ts';
import { isNamed, type PageFile, readPageFiles } from './page-files.ts';

/** Nothing but what this server serves itself; no names of backends can become script. */
const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src 'self' data:",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'self'",
  ].join('; '),
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  // asked for again each time, and answered 304 until the gateway is another
  'cache-control': 'no-cache',
};

/** Answers a request with the page. */
export type SendPage = (request: FastifyRequest, reply: FastifyReply) => FastifyReply;

/** Serves the files of the page and the stream it lives on; what is returned sends the page itself. */
export async function addStatusPage(app: FastifyInstance, feed: LiveFeed): Promise<SendPage> {
  const { index, files } = await readPageFiles();
  for (const file of files) {
    app.get(`/page/${file.name}`, { schema: { hide: true } }, (request, reply) =>
      sendFile(request, reply, file),
    );
  }
  addStream(app, feed);
  app.addHook('preClose', async () => feed.close());
  return (request, reply) => sendFile(request, reply, index);
}

function sendFile(request: FastifyRequest, reply: FastifyReply, file: PageFile): FastifyReply {
  reply.headers({ ...PAGE_HEADERS, etag: file.etag });
  if (isNamed(file.etag, request.headers['if-none-match'])) return reply.code(304).send();
  return reply.type(file.type).send(file.body);
}

function addStream(app: FastifyInstance, feed: LiveFeed): void {
  app.get(
    '/api/v1/stream',
    {
      schema: {
        operationId: 'getStream',
        tags: ['status'],
        summary: 'What the status page shows, as it changes',
        description:
          'Server-sent events: `snapshot` at once and each second, `event` whenever a backend comes, goes or its breaker flips.',
        response: {
          ...answers('Status', [503]),
          200: {
            description: 'An event stream that does not end.',
            content: { 'text/event-stream': { schema: { type: 'string' } } },
          },
        },
      },
    },
    (request, reply) => {
      if (isForeign(request)) throw new ProblemError(FOREIGN_PAGE);
      reply.header('content-type', 'text/event-stream');
      if (request.method === 'HEAD') return reply.send();
      if (feed.full) throw new ProblemError(TOO_MANY);
      startStream(reply, feed);
    },
  );
}

/** A page of another origin could not read it, but could take all the places there are. */
function isForeign({ headers }: FastifyRequest): boolean {
  const site = [headers['sec-fetch-site']].flat()[0];
  return site !== undefined && site !== 'same-origin' && site !== 'none';
}

const FOREIGN_PAGE = { status: 403, detail: 'a page of another origin may not watch (Sec-Fetch-Site)' };

const TOO_MANY = {
  status: 503,
  detail: 'as many watch already as may; /api/v1/status says the same once',
  headers: { 'retry-after': '10' },
};

function startStream(reply: FastifyReply, feed: LiveFeed): void {
  const { raw } = reply;
  const begin = feed.welcome();
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (value !== undefined) raw.setHeader(name, value);
  }
  // nginx before us would hold messages back
  raw.setHeader('x-accel-buffering', 'no');
  reply.hijack();
  // a reader that leaves in the middle of a message
  raw.on('error', () => raw.destroy());
  begin(raw);
}
