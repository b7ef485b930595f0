import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ServiceOptions } from '../../shared/src/service.ts';
import { buildService } from '../../shared/src/service.ts';
import { sendFile } from './download.ts';
import { FileStore, isValidName, TooLargeError } from './file-store.ts';

export interface FilesOptions extends ServiceOptions {
  /** Made where it is missing; several instances may share it. */
  readonly folder: string;
  readonly maxFileBytes: number;
}

const MAX_DRAINED_BYTES = 16 * 1024 * 1024;

type Named = { Params: { name: string } };

/** Paths of the service itself: a file of that name could be uploaded and never be read. */
const RESERVED: ReadonlySet<string> = new Set(['health', 'knobs']);

/** The file service. Throws what mkdir throws when the folder cannot be made. */
export async function buildFilesApp(options: FilesOptions): Promise<FastifyInstance> {
  const { app, instanceName } = buildService('files', options);
  const store = new FileStore(options.folder, options.maxFileBytes, randomUUID);
  await store.prepare();
  app.get('/', async () => {
    const files = (await store.list()).map(({ name, size, modifiedMs, etag }) => ({
      name,
      size,
      modified: new Date(modifiedMs).toISOString(),
      etag,
    }));
    return { service: 'files', instance: instanceName(), maxFileBytes: options.maxFileBytes, files };
  });
  // a context of its own, because bodies are streams here and JSON in /knobs
  app.register(async (raw) => {
    raw.removeAllContentTypeParsers();
    raw.addContentTypeParser('*', (_request, _payload, done) => done(null, undefined));
    raw.addHook('preHandler', checkName);
    addRoutes(raw, store, options.maxFileBytes);
  });
  return app;
}

function addRoutes(app: FastifyInstance, store: FileStore, maxFileBytes: number): void {
  app.route<Named>({
    method: ['GET', 'HEAD'],
    url: '/:name',
    handler: async (request, reply) => {
      const file = await store.open(request.params.name);
      return file === undefined ? missing(reply, request.params.name) : sendFile(request, reply, file);
    },
  });
  app.put<Named>('/:name', async (request, reply) => {
    // told before the first byte is read
    const { raw } = request;
    if (Number(request.headers['content-length'] ?? 0) > maxFileBytes)
      return tooLarge(raw, reply, new TooLargeError(maxFileBytes));
    try {
      const { created, info } = await store.write(request.params.name, raw);
      reply.code(created ? 201 : 200).header('etag', info.etag);
      return { name: info.name, size: info.size, etag: info.etag };
    } catch (error) {
      if (error instanceof TooLargeError) return tooLarge(raw, reply, error);
      // the client left in the middle of its upload: nobody is there to be answered, and it is no fault of ours
      if (raw.destroyed && !raw.complete) return reply.hijack();
      throw error;
    }
  });
  app.delete<Named>('/:name', async (request, reply) =>
    (await store.delete(request.params.name)) ? reply.code(204).send() : missing(reply, request.params.name),
  );
}

async function checkName(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> {
  const { name } = request.params as { readonly name: string };
  const reason = RESERVED.has(name)
    ? 'is a path of the service itself'
    : 'is not 1 to 128 of A-Z a-z 0-9 . _ - (not . or - first)';
  if (isValidName(name) && !RESERVED.has(name)) return undefined;
  return reply.code(400).send({ statusCode: 400, code: 'BAD_NAME', message: `the name '${name}' ${reason}` });
}

function missing(reply: FastifyReply, name: string): FastifyReply {
  return reply
    .code(404)
    .send({ statusCode: 404, code: 'NO_SUCH_FILE', message: `there is no file '${name}'` });
}

/**
 * Takes in and drops some of the rest: closing with unread bytes resets the connection, and a client still
 * sending would lose the answer (RFC 9112 §9.6). Not all of it, or a client could go on for ever.
 */
function tooLarge(body: IncomingMessage, reply: FastifyReply, error: TooLargeError): FastifyReply {
  let left = MAX_DRAINED_BYTES;
  body.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) body.socket.destroy();
  });
  return reply.code(413).send({ statusCode: 413, code: 'TOO_LARGE', message: error.message });
}
