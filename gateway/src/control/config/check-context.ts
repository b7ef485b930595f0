import type { Draft } from './draft.ts';
import type { ProblemList } from './problem.ts';
import type { Config } from './schema.ts';
import type { MapEntry, SourceNode, SourcePath } from './source-node.ts';
import { keyOffsetOf, nodeAt, offsetOf } from './source-node.ts';

/** A file whose shape was checked: what is left of it, and where everything stands. */
export class CheckContext {
  readonly root: SourceNode;
  readonly draft: Draft<Config>;
  readonly problems: ProblemList;
  readonly #broken: ReadonlySet<SourceNode>;

  constructor(
    root: SourceNode,
    draft: Draft<Config>,
    problems: ProblemList,
    broken: ReadonlySet<SourceNode>,
  ) {
    this.root = root;
    this.draft = draft;
    this.problems = problems;
    this.#broken = broken;
  }

  /** At the value. */
  error(path: SourcePath, message: string): void {
    this.problems.error(offsetOf(this.root, path), message);
  }

  /** At the key, or at the list item. */
  errorAtKey(path: SourcePath, message: string): void {
    this.problems.error(keyOffsetOf(this.root, path), message);
  }

  warning(path: SourcePath, message: string): void {
    this.problems.warning(offsetOf(this.root, path), message);
  }

  warningAtKey(path: SourcePath, message: string): void {
    this.problems.warning(keyOffsetOf(this.root, path), message);
  }

  lineOf(path: SourcePath): number {
    return this.problems.lineOf(offsetOf(this.root, path));
  }

  /** Whether something in there was wrong, so that the draft does not tell all of it. */
  isBroken(path: SourcePath): boolean {
    const node = nodeAt(this.root, path);
    return node === undefined || node.kind === 'broken' || this.#broken.has(node);
  }

  /** The keys of a map, even of those whose values are broken; empty when there is no such map. */
  entriesOf(path: SourcePath): ReadonlyMap<string, MapEntry> {
    const node = nodeAt(this.root, path);
    return node?.kind === 'map' ? node.entries : new Map();
  }
}
