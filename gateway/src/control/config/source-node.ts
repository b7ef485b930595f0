/**
 * A config file as a tree that remembers where everything stands. Offsets count from the start of the text.
 * `broken` is what a problem has been reported of already, so that nothing further is said about it.
 */
export type SourceNode = MapNode | ListNode | ScalarNode | BrokenNode;

export interface MapNode {
  readonly kind: 'map';
  readonly at: number;
  readonly entries: ReadonlyMap<string, MapEntry>;
}

export interface MapEntry {
  readonly keyAt: number;
  readonly value: SourceNode;
}

export interface ListNode {
  readonly kind: 'list';
  readonly at: number;
  readonly items: readonly SourceNode[];
}

export interface ScalarNode {
  readonly kind: 'scalar';
  readonly at: number;
  /** By YAML's core rules. */
  readonly value: string | number | boolean | null;
  /** As written, after interpolation: `0123` stays `0123` where text is wanted. */
  readonly text: string;
  readonly interpolated: boolean;
}

interface BrokenNode {
  readonly kind: 'broken';
  readonly at: number;
}

export type SourcePath = readonly (string | number)[];

/** The node at a path, or undefined when there is none. */
export function nodeAt(root: SourceNode, path: SourcePath): SourceNode | undefined {
  let node: SourceNode | undefined = root;
  for (const step of path) {
    if (node === undefined) return undefined;
    if (typeof step === 'number') node = node.kind === 'list' ? node.items[step] : undefined;
    else node = node.kind === 'map' ? node.entries.get(step)?.value : undefined;
  }
  return node;
}

/** Where the value at a path stands, or else its nearest ancestor that is there. */
export function offsetOf(root: SourceNode, path: SourcePath): number {
  for (let length = path.length; length > 0; length--) {
    const node = nodeAt(root, path.slice(0, length));
    if (node !== undefined) return node.at;
  }
  return root.at;
}

/** Where the key at the end of a path stands (for a list item: the item). */
export function keyOffsetOf(root: SourceNode, path: SourcePath): number {
  const key = path.at(-1);
  const parent = nodeAt(root, path.slice(0, -1));
  if (typeof key === 'string' && parent?.kind === 'map') {
    const entry = parent.entries.get(key);
    if (entry !== undefined) return entry.keyAt;
  }
  return offsetOf(root, path);
}
