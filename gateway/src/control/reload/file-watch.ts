import type { Clock } from '../../time.ts';
import type { Log } from '../log.ts';
import { type Sight, WatchedFile } from './watched-file.ts';

export interface FileWatchDeps {
  readonly clock: Clock;
  readonly log: Log;
  /** One or more of the files have new content, and all stand still. Must not throw. */
  readonly onChange: () => void;
}

const INTERVAL_MS = 1_000;

/**
 * Notices new content in a few files, two to three seconds after it was written.
 *
 * It polls, because inotify (fs.watch) watches an inode: it loses a file that an editor replaces by renaming another over
 * it, sees nothing when Kubernetes swaps the symlink of a mounted ConfigMap's folder, and hears nothing of writes made on
 * the other side of NFS or of many bind mounts. A stat each second works everywhere and costs some 50 µs.
 */
export class FileWatch {
  readonly #deps: FileWatchDeps;
  readonly #stopClock: () => void;
  #files: ReadonlyMap<string, WatchedFile> = new Map();
  #wanted: readonly string[] = [];
  /** Why a file could not be read when that was last said. */
  readonly #complaints = new Map<string, string>();
  /** Whether something changed that was not told yet, because something else was still being written. */
  #isDirty = false;
  #isClosed = false;
  #polling: Promise<void> | undefined;

  constructor(deps: FileWatchDeps) {
    this.#deps = deps;
    this.#stopClock = deps.clock.every(INTERVAL_MS, () => void this.poll());
  }

  /**
   * Watches these files from now on and no others; of those watched before, what was known stays known. Resolves when the
   * first look at the new ones is done: what is read afterwards cannot change unnoticed. Never rejects.
   */
  async watch(paths: readonly string[]): Promise<void> {
    this.#wanted = paths;
    const files = new Map<string, WatchedFile>();
    for (const path of paths) {
      const known = this.#files.get(path);
      const file = known ?? new WatchedFile(path, this.#deps.clock);
      if (known === undefined) this.#note(path, await file.remember());
      // a later call knows better
      if (this.#wanted !== paths) return;
      files.set(path, file);
    }
    this.#files = files;
    for (const path of this.#complaints.keys()) if (!files.has(path)) this.#complaints.delete(path);
  }

  /** Looks at every file once; the clock calls it each second. During a look that takes longer (NFS away) it is that one. */
  poll(): Promise<void> {
    this.#polling ??= this.#lookAtAll().finally(() => {
      this.#polling = undefined;
    });
    return this.#polling;
  }

  /** Ends it: nothing is told any more, not even of a look that is under way. */
  close(): void {
    this.#isClosed = true;
    this.#stopClock();
  }

  async #lookAtAll(): Promise<void> {
    let isMoving = false;
    // one after the other: a file system that hangs holds one thread of libuv's few, which DNS lookups need too
    for (const file of this.#files.values()) {
      const sight = await file.look();
      if (this.#isClosed) return;
      if (this.#files.get(file.path) !== file) continue;
      this.#note(file.path, sight);
      if (sight.kind === 'moving') isMoving = true;
      if (sight.kind === 'changed') this.#isDirty = true;
    }
    if (!this.#isDirty || isMoving) return;
    this.#isDirty = false;
    this.#deps.onChange();
  }

  /** Says once that a file cannot be read, and once that it can again. */
  #note(path: string, sight: Sight): void {
    const reason = sight.kind === 'unreadable' ? sight.reason : undefined;
    const before = this.#complaints.get(path);
    if (reason === before || this.#isClosed) return;
    if (reason === undefined) {
      this.#complaints.delete(path);
      this.#deps.log('info', `config: ${path} can be read again`);
      return;
    }
    this.#complaints.set(path, reason);
    this.#deps.log('warn', `config: ${path} cannot be read (${reason}): the config in force stays`);
  }
}
