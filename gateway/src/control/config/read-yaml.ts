import type { ParsedNode, YAMLError } from 'yaml';
import { isAlias, isMap, isScalar, isSeq, parseDocument } from 'yaml';
import type { Environment } from './interpolate.ts';
import type { ProblemList } from './problem.ts';
import { readScalar } from './read-scalar.ts';
import type { MapEntry, SourceNode } from './source-node.ts';

const DEEPEST = 64;
/** What aliases may unfold to: `*a` nine times in `&b`, nine times in `&c` … is ten lines and a billion nodes. */
const MOST_ALIASED_NODES = 100_000;

/** Reads YAML text into a tree with positions; what is wrong with it goes to `problems`. */
export function readYaml(text: string, env: Environment, problems: ProblemList): SourceNode {
  const document = parseDocument(text, {
    version: '1.2',
    // yaml's own check compares every key with every other: seconds for a map of 100 000 keys.
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'error',
  });
  for (const [index, error] of [...document.errors, ...document.warnings].entries()) {
    if (!isEcho(error, document.errors[index - 1])) problems.error(error.pos[0], describeError(error, text));
  }
  const contents = document.contents;
  if (document.errors.length > 0) return { kind: 'broken', at: 0 };
  if (contents === null) return { kind: 'scalar', at: 0, value: null, text: '', interpolated: false };
  return new TreeBuilder(text, env, problems).build(contents, 0);
}

/** After one stray token yaml calls the next one stray, or all the rest of the file; only the first is news. */
function isEcho(error: YAMLError, before: YAMLError | undefined): boolean {
  if (before === undefined) return false;
  return error.pos[0] <= before.pos[1] || error.message.includes('token in YAML stream');
}

/** Without what yaml quotes after the colon: it may be half of a secret. */
function describeError(error: YAMLError, text: string): string {
  if (error.code === 'MULTIPLE_DOCS') return 'a second document starts here; a config is one document';
  if (error.message.includes('call stack')) return 'nested too deeply';
  if (text.startsWith('${', error.pos[0] - 1)) {
    return `YAML: quote a value with \${…} inside { } or [ ], as in { url: "http://\${HOST}:80" }`;
  }
  const [what = ''] = error.message.split(':');
  return `YAML: ${what.charAt(0).toLowerCase()}${what.slice(1).replace(/\s+/g, ' ')}`;
}

/** Turns yaml's nodes into ours, unfolding aliases within a bound. */
class TreeBuilder {
  readonly #text: string;
  readonly #env: Environment;
  readonly #problems: ProblemList;
  readonly #anchors = new Map<string, ParsedNode>();
  readonly #unfolding = new Set<string>();
  #aliasedNodes = 0;

  constructor(text: string, env: Environment, problems: ProblemList) {
    this.#text = text;
    this.#env = env;
    this.#problems = problems;
  }

  build(node: ParsedNode | null, depth: number): SourceNode {
    const at = node?.range[0] ?? 0;
    if (node === null) return { kind: 'scalar', at, value: null, text: '', interpolated: false };
    if (depth > DEEPEST) return this.#broken(at, 'nested too deeply');
    if (isAlias(node)) return this.#unfold(node.source, at, depth);
    if (this.#unfolding.size > 0 && ++this.#aliasedNodes > MOST_ALIASED_NODES) {
      return this.#broken(at, 'the aliases of this file unfold to too much');
    }
    this.#remember(node, at);
    if (isScalar(node)) return readScalar(node, this.#text, this.#env, this.#problems);
    if (isSeq(node)) {
      return { kind: 'list', at, items: node.items.map((item) => this.build(item, depth + 1)) };
    }
    if (isMap(node)) return this.#buildMap(node, at, depth);
    return this.#broken(at, 'this kind of YAML is not understood here');
  }

  #buildMap(
    node: ParsedNode & { readonly items: readonly unknown[] },
    at: number,
    depth: number,
  ): SourceNode {
    const entries = new Map<string, MapEntry>();
    if (!isMap<ParsedNode, ParsedNode | null>(node)) return { kind: 'broken', at };
    for (const { key, value } of node.items) {
      const keyAt = key.range[0];
      const name = isScalar(key) ? (key.source ?? '') : undefined;
      const built = this.build(value, depth + 1);
      if (name === undefined) this.#problems.error(keyAt, 'a key must be plain text');
      else if (name === '<<') {
        this.#problems.error(
          keyAt,
          'merge keys (<<) are not understood; put what services share under defaults:',
        );
      } else if (entries.has(name)) {
        const line = this.#problems.lineOf(entries.get(name)?.keyAt ?? 0);
        this.#problems.error(keyAt, `${name} is here twice; it stands on line ${line} already`);
      } else
        entries.set(name, {
          keyAt,
          value: built.at === 0 && value === null ? { ...built, at: keyAt } : built,
        });
    }
    return { kind: 'map', at, entries };
  }

  #remember(node: ParsedNode, at: number): void {
    const anchor = 'anchor' in node ? node.anchor : undefined;
    if (anchor === undefined || this.#unfolding.size > 0) return;
    if (this.#anchors.has(anchor))
      this.#problems.error(
        at,
        'this anchor has the name of an earlier one; quote a value that starts with &',
      );
    else this.#anchors.set(anchor, node);
  }

  #unfold(name: string, at: number, depth: number): SourceNode {
    const target = this.#anchors.get(name);
    if (target === undefined)
      return this.#broken(at, 'this alias names no anchor before it; quote a value that starts with *');
    if (this.#unfolding.has(name)) return this.#broken(at, 'this alias holds itself');
    if (this.#aliasedNodes > MOST_ALIASED_NODES) return { kind: 'broken', at };
    this.#unfolding.add(name);
    const built = this.build(target, depth + 1);
    this.#unfolding.delete(name);
    return built;
  }

  #broken(at: number, message: string): SourceNode {
    this.#problems.error(at, message);
    return { kind: 'broken', at };
  }
}
