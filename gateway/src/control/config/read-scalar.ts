import type { Scalar } from 'yaml';
import type { Environment } from './interpolate.ts';
import { interpolate } from './interpolate.ts';
import type { ProblemList } from './problem.ts';
import type { SourceNode } from './source-node.ts';

/** Reads one scalar and fills in the environment; missing variables go to `problems`, where their `${` stands. */
export function readScalar(
  node: Scalar.Parsed,
  source: string,
  env: Environment,
  problems: ProblemList,
): SourceNode {
  const [at, end] = node.range;
  const text = typeof node.value === 'string' ? node.value : (node.source ?? '');
  const result = interpolate(text, env);
  if (result.kind === 'untouched') {
    return { kind: 'scalar', at, value: coreValue(node), text, interpolated: false };
  }
  if (result.kind === 'failed') {
    for (const fault of result.faults) {
      problems.error(openingAt(source.slice(at, end), fault.occurrence, at), fault.message);
    }
    return { kind: 'broken', at };
  }
  const value = result.whole ? resolveCore(result.text) : result.text;
  return { kind: 'scalar', at, value, text: result.text, interpolated: true };
}

function coreValue(node: Scalar.Parsed): string | number | boolean | null {
  const value: unknown = node.value;
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value;
  return typeof value === 'number' ? value : (node.source ?? '');
}

/** YAML 1.2 §10.3.2, for text that came whole from a variable. */
function resolveCore(text: string): string | number | boolean | null {
  if (/^(|~|null|Null|NULL)$/.test(text)) return null;
  if (/^(true|True|TRUE)$/.test(text)) return true;
  if (/^(false|False|FALSE)$/.test(text)) return false;
  if (/^([-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$/.test(text)) return Number(text);
  if (/^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/.test(text)) return Number(text);
  return text;
}

/** Escapes in a quoted scalar can hide a `${` from this search; then the scalar's own start has to do. */
function openingAt(raw: string, occurrence: number, at: number): number {
  let index = raw.indexOf('${');
  for (let seen = 0; seen < occurrence && index !== -1; seen++) index = raw.indexOf('${', index + 2);
  return index === -1 ? at : at + index;
}
