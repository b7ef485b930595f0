import type { SQLOutputValue, StatementSync } from 'node:sqlite';
import { DatabaseSync } from 'node:sqlite';

export interface ItemContent {
  readonly name: string;
  readonly quantity: number;
}

export interface Item extends ItemContent {
  readonly id: number;
  /** Counts the changes, from 1. */
  readonly version: number;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** What became of a conditional change. */
export type Change<T> =
  | { readonly kind: 'done'; readonly value: T }
  | { readonly kind: 'missing' }
  | { readonly kind: 'stale'; readonly current: Item };

/** The call is synchronous: while it waits for another process's write lock this process answers nobody. */
const BUSY_TIMEOUT_MS = 2_000;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS items (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT NOT NULL,
    quantity   INTEGER NOT NULL,
    version    INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
  ) STRICT`;

/**
 * Items in SQLite. Every change is one statement, so it is atomic without a transaction, also among several
 * processes on one file. Throws what node:sqlite throws when the file cannot be opened or stays locked.
 */
export class ItemStore {
  readonly #db: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #select: StatementSync;
  readonly #page: StatementSync;
  readonly #count: StatementSync;
  readonly #update: StatementSync;
  readonly #delete: StatementSync;

  /** `file` is a path or `:memory:`. */
  constructor(file: string) {
    this.#db = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS });
    // readers and the one writer do not block each other in WAL; NORMAL syncs at checkpoints only
    this.#db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
    this.#db.exec(SCHEMA);
    this.#insert = this.#db.prepare(
      'INSERT INTO items (name, quantity, version, created_at, updated_at) VALUES (?, ?, 1, ?, ?) RETURNING *',
    );
    this.#select = this.#db.prepare('SELECT * FROM items WHERE id = ?');
    this.#page = this.#db.prepare('SELECT * FROM items WHERE id > ? ORDER BY id LIMIT ?');
    this.#count = this.#db.prepare('SELECT count(*) AS total FROM items');
    this.#update = this.#db.prepare(
      `UPDATE items SET name = ?, quantity = ?, version = version + 1, updated_at = ?
       WHERE id = ? AND (? IS NULL OR version = ?) RETURNING *`,
    );
    this.#delete = this.#db.prepare(
      'DELETE FROM items WHERE id = ? AND (? IS NULL OR version = ?) RETURNING *',
    );
  }

  create(content: ItemContent, at: Date): Item {
    const time = at.toISOString();
    const row = this.#insert.get(content.name, content.quantity, time, time);
    if (row === undefined) throw new Error('SQLite returned no row for INSERT … RETURNING');
    return toItem(row);
  }

  get(id: number): Item | undefined {
    const row = this.#select.get(id);
    return row === undefined ? undefined : toItem(row);
  }

  /** Items with an id above `after`, in the order of their ids. */
  page(after: number, limit: number): Item[] {
    return this.#page.all(after, limit).map(toItem);
  }

  count(): number {
    return Number(this.#count.get()?.['total']);
  }

  /** Replaces the content; with a `version`, only while the item still has it. */
  update(id: number, content: ItemContent, version: number | undefined, at: Date): Change<Item> {
    const expected = version ?? null;
    const row = this.#update.get(content.name, content.quantity, at.toISOString(), id, expected, expected);
    return this.#outcome(id, row);
  }

  /** With a `version`, only while the item still has it. The value is the item as it was. */
  delete(id: number, version: number | undefined): Change<Item> {
    const expected = version ?? null;
    return this.#outcome(id, this.#delete.get(id, expected, expected));
  }

  close(): void {
    this.#db.close();
  }

  #outcome(id: number, row: Row | undefined): Change<Item> {
    if (row !== undefined) return { kind: 'done', value: toItem(row) };
    const current = this.get(id);
    return current === undefined ? { kind: 'missing' } : { kind: 'stale', current };
  }
}

type Row = Record<string, SQLOutputValue>;

function toItem(row: Row): Item {
  return {
    id: Number(row['id']),
    name: String(row['name']),
    quantity: Number(row['quantity']),
    version: Number(row['version']),
    createdAt: String(row['created_at']),
    updatedAt: String(row['updated_at']),
  };
}
