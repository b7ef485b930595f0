import { checkNumber, checkText, nounOf } from './check-scalar.ts';
import { FORMATS } from './formats.ts';
import { show } from './parsed.ts';
import type { ProblemList } from './problem.ts';
import type { Shape } from './shape.ts';
import type { ListNode, MapNode, SourceNode } from './source-node.ts';
import { closest } from './suggest.ts';

export interface ShapeContext {
  readonly problems: ProblemList;
  /** Filled with every map and list that holds an error, however deep. */
  readonly broken: Set<SourceNode>;
  /** Where a key belongs that is known, but elsewhere. */
  readonly homes: ReadonlyMap<string, string>;
}

/**
 * Holds a tree against the schema and reports everything that does not fit. Gives what fits (a Draft of the
 * schema's type), or undefined when nothing does. `name` is what messages call the node.
 */
export function checkShape(shape: Shape, node: SourceNode, name: string, context: ShapeContext): unknown {
  const { problems, broken } = context;
  const before = problems.errorCount + broken.size;
  const value = checkNode(shape, node, name, context);
  if (problems.errorCount + broken.size > before || node.kind === 'broken') broken.add(node);
  return value;
}

function checkNode(shape: Shape, node: SourceNode, name: string, context: ShapeContext): unknown {
  if (node.kind === 'broken') return undefined;
  if (shape.anyOf !== undefined) return checkUnion(shape, shape.anyOf, node, name, context);
  if (node.kind === 'map' && shape.type === 'object') return checkMap(shape, node, name, context);
  if (node.kind === 'list' && shape.type === 'array') return checkList(shape, node, name, context);
  if (node.kind === 'scalar' && shape.type !== 'object' && shape.type !== 'array') {
    const result = shape.type === 'string' || shape.enum ? checkText(shape, node) : checkNumber(shape, node);
    if (result.ok) return result.value;
    context.problems.error(node.at, `${name}: ${result.complaint}`);
    return undefined;
  }
  mismatch(shape, node, name, context);
  return undefined;
}

/** Of several shapes, the one that the kind of the node means. */
function checkUnion(
  shape: Shape,
  branches: readonly Shape[],
  node: SourceNode,
  name: string,
  context: ShapeContext,
): unknown {
  const flat = branches.flatMap((branch) => branch.anyOf ?? [branch]);
  if (node.kind === 'scalar') {
    if (flat.some((branch) => branch.const !== undefined && branch.const === node.value)) return node.value;
    const isNumber = typeof node.value === 'number';
    const scalars = flat.filter(
      ({ type, enum: choices }) => type === 'string' || type === 'integer' || choices !== undefined,
    );
    const chosen = scalars.find((branch) => isNumber === (branch.type === 'integer')) ?? scalars[0];
    if (chosen !== undefined && typeof node.value !== 'boolean' && node.value !== null) {
      return checkNode({ ...chosen, ...(shape.secret ? { secret: true } : {}) }, node, name, context);
    }
  } else {
    const wanted = node.kind === 'map' ? 'object' : 'array';
    const chosen = flat.find((branch) => branch.type === wanted);
    if (chosen !== undefined) return checkNode(chosen, node, name, context);
  }
  mismatch(shape, node, name, context);
  return undefined;
}

function mismatch(shape: Shape, node: SourceNode, name: string, context: ShapeContext): void {
  let complaint = `${name}: expected ${nounOf(shape)}, got ${nounOfNode(shape, node)}`;
  if (node.kind === 'scalar' && shape.type === 'array' && node.text !== '' && shape.items?.secret !== true) {
    complaint += `; did you mean [${show(node.text)}]?`;
  }
  context.problems.error(node.at, complaint);
}

function nounOfNode(shape: Shape, node: SourceNode): string {
  if (node.kind === 'map') return 'a block of keys';
  if (node.kind === 'list') return 'a list';
  if (node.kind !== 'scalar' || node.value === null) return 'nothing';
  return shape.secret === true ? 'a value (hidden)' : show(node.text);
}

function checkList(shape: Shape, node: ListNode, name: string, context: ShapeContext): unknown {
  if (node.items.length < (shape.minItems ?? 0))
    context.problems.error(node.at, `${name}: at least one is needed`);
  const most = shape.maxItems ?? Number.POSITIVE_INFINITY;
  if (node.items.length > most)
    context.problems.error(node.at, `${name}: at most ${most} are allowed, here are ${node.items.length}`);
  const items = shape.items ?? {};
  return node.items.map((item, index) => checkShape(items, item, `${name}[${index}]`, context));
}

function checkMap(shape: Shape, node: MapNode, name: string, context: ShapeContext): unknown {
  checkCount(shape, node, name, context);
  const result: Record<string, unknown> = {};
  for (const [key, { keyAt, value }] of node.entries) {
    const inner = shapeOfKey(shape, key);
    if (inner === 'ignored') continue;
    if (inner === undefined) {
      context.problems.error(keyAt, whyUnknown(shape, key, name, context.homes));
      continue;
    }
    checkKey(shape, key, keyAt, name, context);
    if (inner.emptyIsAbsent && value.kind === 'scalar' && value.interpolated && value.text === '') continue;
    const checked = checkShape(inner, value, key, context);
    if (checked !== undefined) put(result, key, checked);
  }
  for (const key of shape.required ?? []) {
    if (!node.entries.has(key)) context.problems.error(node.at, `${name}: ${key} is missing`);
  }
  return result;
}

function checkCount(shape: Shape, node: MapNode, name: string, context: ShapeContext): void {
  const count = node.entries.size;
  if (shape.minProperties === 1 && shape.maxProperties === 1 && count !== 1) {
    context.problems.error(
      node.at,
      `${name}: expected exactly one of ${Object.keys(shape.properties ?? {}).join(', ')}`,
    );
  } else if (count < (shape.minProperties ?? 0)) {
    context.problems.error(node.at, `${name}: at least one is needed`);
  } else if (count > (shape.maxProperties ?? Number.POSITIVE_INFINITY)) {
    context.problems.error(node.at, `${name}: at most ${shape.maxProperties} are allowed, here are ${count}`);
  }
}

function shapeOfKey(shape: Shape, key: string): Shape | 'ignored' | undefined {
  const properties = shape.properties;
  if (properties !== undefined && Object.hasOwn(properties, key)) return properties[key];
  for (const [pattern, inner] of Object.entries(shape.patternProperties ?? {})) {
    if (pattern === '^.*$') return inner;
    if (new RegExp(pattern).test(key)) return 'ignored';
  }
  return undefined;
}

function whyUnknown(shape: Shape, key: string, name: string, homes: ReadonlyMap<string, string>): string {
  if (shape.later?.includes(key)) return `${key}: not built in this version of Portway`;
  const known = Object.keys(shape.properties ?? {});
  const guess = closest(key, known);
  const problem = `unknown key ${show(key)} in ${name}`;
  if (guess !== undefined) return `${problem}; did you mean ${guess}?`;
  const home = homes.get(key);
  return home === undefined
    ? `${problem}; it knows ${known.join(', ')}`
    : `${problem}; it is a key of ${home}`;
}

function checkKey(shape: Shape, key: string, keyAt: number, name: string, context: ShapeContext): void {
  const result = FORMATS.get(shape.propertyNames?.format ?? '')?.(key);
  if (result !== undefined && !result.ok) context.problems.error(keyAt, `${name}: ${result.complaint}`);
}

/** A plain assignment to `__proto__` would change the object's prototype instead. */
function put(object: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true });
}
