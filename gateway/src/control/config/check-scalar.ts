import { FORMATS } from './formats.ts';
import type { Parsed } from './parsed.ts';
import { bad, good, show } from './parsed.ts';
import { formatDuration, formatSize } from './quantities.ts';
import type { Shape } from './shape.ts';
import type { ScalarNode } from './source-node.ts';
import { closest } from './suggest.ts';

/** A scalar where text is wanted. A number or a boolean is taken as it is written: `X-Version: 1.0` is "1.0". */
export function checkText(shape: Shape, node: ScalarNode): Parsed<string> {
  if (node.value === null && !node.interpolated) return bad(`expected ${nounOf(shape)}, got nothing`);
  if (shape.enum !== undefined) return checkEnum(shape.enum, node.text);
  if (node.text.length < (shape.minLength ?? 0)) return bad('is empty');
  const most = shape.maxLength ?? Number.POSITIVE_INFINITY;
  if (node.text.length > most) return bad(`is ${node.text.length} characters long; at most ${most}`);
  if (shape.format === 'time-span' && /^0+$/.test(node.text))
    return bad(whyOutside(shape, node.text, 0) ?? `${node.text} needs a unit`, undefined);
  const parsed = FORMATS.get(shape.format ?? '')?.(node.text) ?? good(node.text);
  if (!parsed.ok) return parsed;
  const outside = typeof parsed.value === 'number' ? whyOutside(shape, node.text, parsed.value) : undefined;
  return outside === undefined ? good(node.text) : bad(outside);
}

function checkEnum(known: readonly string[], text: string): Parsed<string> {
  if (known.includes(text)) return good(text);
  const guess = closest(text, known);
  return bad(`${show(text)} is not ${guess === undefined ? oneOf(known) : 'known'}`, guess);
}

function whyOutside(shape: Shape, text: string, value: number): string | undefined {
  if (value < (shape.minMs ?? 0))
    return `${show(text)} is too short; at least ${formatDuration(shape.minMs ?? 0)}`;
  if (value > (shape.maxMs ?? Number.POSITIVE_INFINITY)) {
    return `${show(text)} is too long; at most ${formatDuration(shape.maxMs ?? 0)}`;
  }
  if (value < (shape.minBytes ?? 0))
    return `${show(text)} is too small; at least ${formatSize(shape.minBytes ?? 0)}`;
  if (value > (shape.maxBytes ?? Number.POSITIVE_INFINITY))
    return `${show(text)} is too large; at most ${formatSize(shape.maxBytes ?? 0)}`;
  return undefined;
}

/** A scalar where a whole number, a boolean or one certain value is wanted. */
export function checkNumber(shape: Shape, node: ScalarNode): Parsed<number | boolean | string> {
  const { value, text } = node;
  const shown = typeof value === 'string' ? JSON.stringify(show(text).replace(/^"|"$/g, '')) : show(text);
  const got = value === null ? 'nothing' : shape.secret ? 'a value (hidden)' : shown;
  if (shape.const !== undefined && value === shape.const) return good(shape.const);
  if (shape.type === 'boolean' && shape.const === undefined) {
    if (typeof value === 'boolean') return good(value);
    const guess = /^(yes|on|1|y)$/i.test(text) ? 'true' : /^(no|off|0|n)$/i.test(text) ? 'false' : undefined;
    return bad(`expected true or false, got ${got}`, guess);
  }
  if (shape.type === 'integer') return checkInteger(shape, node, got);
  return bad(`expected ${nounOf(shape)}, got ${got}`);
}

function checkInteger(shape: Shape, node: ScalarNode, got: string): Parsed<number> {
  const { minimum = 0, maximum = Number.MAX_SAFE_INTEGER } = shape;
  // A quoted "${WEIGHT}" is the only way to interpolate inside { … }.
  const value = node.interpolated && /^[0-9]{1,15}$/.test(node.text) ? Number(node.text) : node.value;
  if (typeof value === 'number' && Number.isInteger(value)) {
    if (value >= minimum && value <= maximum) return good(value);
    return bad(`${show(node.text)} is not ${minimum} to ${maximum}`);
  }
  const digits = /^\s*([0-9]{1,15})\s*%?\s*$/.exec(node.text)?.[1];
  return bad(`expected a whole number from ${minimum} to ${maximum}, got ${got}`, digits);
}

/** What a shape asks for, as messages say it. */
export function nounOf(shape: Shape): string {
  if (shape.title !== undefined) return shape.title;
  if (shape.anyOf !== undefined) return [...shape.anyOf].reverse().map(nounOf).join(' or ');
  if (shape.const !== undefined) return String(shape.const);
  if (shape.enum !== undefined) return oneOf(shape.enum);
  if (shape.type === 'object') return 'a block of keys';
  if (shape.type === 'array') return 'a list';
  if (shape.type === 'integer') return 'a whole number';
  if (shape.type === 'boolean') return 'true or false';
  return 'text';
}

function oneOf(known: readonly string[]): string {
  return known.length === 1 ? String(known[0]) : `one of ${known.join(', ')}`;
}
