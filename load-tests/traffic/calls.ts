/** What each kind of request asks, and what a right answer to it looks like. */
import type { RouteName } from './routes.ts';

export interface Call {
  readonly route: RouteName;
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  readonly path: string;
  readonly body: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly statuses: readonly number[];
  /** Whether the body is the one asked for, not another request's. */
  readonly holds: (body: string) => boolean;
}

/** What the setup left for the load to ask for. */
export interface Seed {
  readonly itemIds: readonly number[];
}

const FILE_BYTES = 64 * 1024;
const RANGE_BYTES = 4 * 1024;
const UPLOAD_BYTES = 16 * 1024;
/** Uploads replace these files, so that the folder does not grow. */
const UPLOADS = 16;
export const DOWNLOAD_PATH = '/files/load-download.bin';

const LINE_BYTES = 16;
const UPLOAD = 'portway\n'.repeat(UPLOAD_BYTES / 8);

/**
 * Part of the file that is downloaded, up to but not with byte `end`. Every line says where it stands, so that an answer
 * cut at the wrong place shows. Made when it is needed: each of k6's virtual users would keep its own copy otherwise.
 */
export function fileText(first = 0, end = FILE_BYTES): string {
  const start = first - (first % LINE_BYTES);
  let text = '';
  for (let at = start; at < end; at += LINE_BYTES)
    text += `${at.toString(16).padStart(LINE_BYTES - 1, '0')}\n`;
  return text.slice(first - start, end - start);
}

const JSON_TYPE = { 'content-type': 'application/json' };

/** Builds requests. `random` draws from [0, 1). */
export class Calls {
  readonly #seed: Seed;
  readonly #random: () => number;

  constructor(seed: Seed, random: () => number) {
    this.#seed = seed;
    this.#random = random;
  }

  /** A request of that kind; `db.delete` needs the id of an item: see deletion. */
  of(route: Exclude<RouteName, 'db.delete'>): Call {
    switch (route) {
      case 'web.page':
        return get(route, '/', (body) => body.includes('<html'));
      case 'web.asset':
        return get(route, '/assets/style.css', (body) => body.length > 0);
      case 'db.list':
        return get(route, '/db/items?limit=10', (body) => body.includes('"items"'));
      case 'db.read': {
        const id = this.#itemId();
        return get(route, `/db/items/${id}`, (body) => body.includes(`"id":${id},`));
      }
      case 'db.update':
        return this.#update();
      case 'db.create':
        return {
          ...get(route, '/db/items', (body) => createdId(body) !== undefined),
          ...{ method: 'POST', body: this.#content(), headers: JSON_TYPE, statuses: [201] },
        };
      case 'files.range':
        return this.#range();
      case 'files.upload':
        return {
          ...get(route, `/files/load-upload-${this.#draw(UPLOADS)}.bin`, (body) =>
            body.includes(`"size":${UPLOAD_BYTES}`),
          ),
          ...{ method: 'PUT', body: UPLOAD, statuses: [200, 201] },
        };
      case 'chat.rooms':
        return get(route, '/chat/rooms', (body) => body.includes('"rooms"'));
    }
  }

  #update(): Call {
    const id = this.#itemId();
    return {
      ...get('db.update', `/db/items/${id}`, (body) => body.includes(`"id":${id},`)),
      ...{ method: 'PUT', body: this.#content(), headers: JSON_TYPE },
    };
  }

  #range(): Call {
    const first = this.#draw(FILE_BYTES - RANGE_BYTES);
    const last = first + RANGE_BYTES - 1;
    return {
      ...get('files.range', DOWNLOAD_PATH, (body) => body === fileText(first, last + 1)),
      ...{ headers: { range: `bytes=${first}-${last}` }, statuses: [206] },
    };
  }

  #itemId(): number {
    const { itemIds } = this.#seed;
    const id = itemIds[this.#draw(itemIds.length)];
    if (id === undefined) throw new Error('the setup created no items');
    return id;
  }

  #content(): string {
    return JSON.stringify({ name: 'load', quantity: this.#draw(1_000) });
  }

  #draw(below: number): number {
    return Math.floor(this.#random() * below);
  }
}

/** 404 too: the first of two attempts may have done it before its answer was lost. */
export function deletion(id: number): Call {
  return {
    ...get('db.delete', `/db/items/${id}`, () => true),
    ...{ method: 'DELETE', statuses: [204, 404] },
  };
}

/** The id in the answer to a creation; undefined when there is none. */
export function createdId(body: string): number | undefined {
  const [, id] = /"id":([1-9][0-9]{0,14}),/.exec(body) ?? [];
  return id === undefined ? undefined : Number(id);
}

function get(route: RouteName, path: string, holds: Call['holds']): Call {
  return { route, method: 'GET', path, body: null, headers: {}, statuses: [200], holds };
}
