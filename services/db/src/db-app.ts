import type { FastifyInstance, FastifyReply } from 'fastify';
import type { ServiceOptions } from '../../shared/src/service.ts';
import { buildService } from '../../shared/src/service.ts';
import type { Change, Item, ItemContent } from './item-store.ts';
import { ItemStore } from './item-store.ts';

export interface DbOptions extends ServiceOptions {
  /** Path of the database file, which several instances may share, or `:memory:`. */
  readonly file: string;
}

const DEFAULT_PAGE = 20;

const contentSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['name'],
  properties: {
    name: { type: 'string', minLength: 1, maxLength: 200, pattern: '\\S' },
    quantity: { type: 'integer', minimum: 0, maximum: 1_000_000_000, default: 0 },
  },
} as const;

// strings, because nothing is coerced: `limit=1e1` and `limit= 5` are refused, not guessed at
const pageSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    limit: { type: 'string', pattern: '^([1-9][0-9]?|100)$' },
    after: { type: 'string', pattern: '^[0-9]{1,15}$' },
  },
} as const;

const idSchema = {
  type: 'object',
  properties: { id: { type: 'string', pattern: '^[1-9][0-9]{0,14}$' } },
} as const;

/** The data service: items over REST. Throws what node:sqlite throws when the file cannot be opened. */
export function buildDbApp(options: DbOptions): FastifyInstance {
  const { app, instanceName } = buildService('db', options);
  const store = new ItemStore(options.file);
  app.addHook('onClose', (_app, done) => {
    store.close();
    done();
  });
  app.get('/', () => ({
    service: 'db',
    instance: instanceName(),
    items: store.count(),
    try: ['items', 'knobs', 'health'],
  }));
  addReads(app, store);
  addWrites(app, store, () => new Date(options.now()));
  return app;
}

function addReads(app: FastifyInstance, store: ItemStore): void {
  app.get<{ Querystring: { limit?: string; after?: string } }>(
    '/items',
    { schema: { querystring: pageSchema } },
    (request) => {
      const limit = Number(request.query.limit ?? DEFAULT_PAGE);
      // one more than asked for tells whether there is a next page
      const found = store.page(Number(request.query.after ?? 0), limit + 1);
      const items = found.slice(0, limit);
      return { items, total: store.count(), next: found.length > limit ? (items.at(-1)?.id ?? null) : null };
    },
  );
  app.get<{ Params: { id: string } }>('/items/:id', { schema: { params: idSchema } }, (request, reply) => {
    const item = store.get(Number(request.params.id));
    if (item === undefined) return missing(reply, request.params.id);
    reply.header('etag', etagOf(item));
    return lists(request.headers['if-none-match'], item) ? reply.code(304).send() : item;
  });
}

function addWrites(app: FastifyInstance, store: ItemStore, now: () => Date): void {
  app.post<{ Body: ItemContent }>('/items', { schema: { body: contentSchema } }, (request, reply) => {
    const item = store.create(request.body, now());
    // relative (RFC 3986 §5.2), since we do not know the prefix under which the gateway shows us
    return reply.code(201).header('location', `items/${item.id}`).header('etag', etagOf(item)).send(item);
  });
  app.put<{ Params: { id: string }; Body: ItemContent }>(
    '/items/:id',
    { schema: { params: idSchema, body: contentSchema } },
    (request, reply) => {
      const expected = expectedVersion(request.headers['if-match'], request.params.id);
      const change = store.update(Number(request.params.id), request.body, expected, now());
      return answer(reply, request.params.id, change, (item) =>
        reply.header('etag', etagOf(item)).send(item),
      );
    },
  );
  app.delete<{ Params: { id: string } }>('/items/:id', { schema: { params: idSchema } }, (request, reply) => {
    const change = store.delete(
      Number(request.params.id),
      expectedVersion(request.headers['if-match'], request.params.id),
    );
    return answer(reply, request.params.id, change, () => reply.code(204).send());
  });
}

function answer(
  reply: FastifyReply,
  id: string,
  change: Change<Item>,
  done: (item: Item) => FastifyReply,
): FastifyReply {
  if (change.kind === 'done') return done(change.value);
  if (change.kind === 'missing') return missing(reply, id);
  const message = `item ${id} was changed meanwhile: its ETag is now ${etagOf(change.current)}`;
  return reply
    .code(412)
    .header('etag', etagOf(change.current))
    .send({ statusCode: 412, code: 'STALE', message });
}

function missing(reply: FastifyReply, id: string): FastifyReply {
  return reply.code(404).send({ statusCode: 404, code: 'NO_SUCH_ITEM', message: `there is no item ${id}` });
}

function etagOf(item: Item): string {
  return `"${item.id}-${item.version}"`;
}

/** RFC 9110 §13.1.2: a list of tags compared weakly, or `*`. */
function lists(ifNoneMatch: string | undefined, item: Item): boolean {
  if (ifNoneMatch === undefined) return false;
  const tags = ifNoneMatch.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes('*') || tags.includes(etagOf(item));
}

/** The version an If-Match asks for; undefined for none and for `*`; one that cannot be (-1) for anything else. */
function expectedVersion(ifMatch: string | undefined, id: string): number | undefined {
  if (ifMatch === undefined || ifMatch.trim() === '*') return undefined;
  // RFC 9110 §13.1.1: compared strongly, so W/"…" never matches
  const [, taggedId, version] = /^"([0-9]+)-([0-9]{1,15})"$/.exec(ifMatch.trim()) ?? [];
  return taggedId === id ? Number(version) : -1;
}
