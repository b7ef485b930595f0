import type { TObject, TProperties, TSchema, TSchemaOptions } from 'typebox';
import { Type } from 'typebox';
import { DURATION_PATTERN, LONGEST_MS, SIZE_PATTERN } from './quantities.ts';

interface DurationOptions {
  readonly default?: string | 0;
  readonly minMs?: number;
  readonly maxMs?: number;
}

/** A time such as `250ms`; 1 ms to 24 days unless told otherwise. */
export function duration(description: string, options: DurationOptions = {}) {
  return Type.String({
    title: 'a duration such as 250ms, 5s, 2m',
    description,
    // Not `duration`, which is ISO 8601's (`PT5S`) in JSON Schema.
    format: 'time-span',
    pattern: DURATION_PATTERN,
    minMs: options.minMs ?? 1,
    maxMs: options.maxMs ?? LONGEST_MS,
    ...(options.default === undefined ? {} : { default: options.default }),
  });
}

/** A time, or 0 for none at all. */
export function durationOrOff(description: string, options: DurationOptions = {}) {
  const { default: preset, ...rest } = options;
  return Type.Union([Type.Literal(0), duration(description, rest)], {
    title: 'a duration such as 250ms, 5s, 2m, or 0 for none',
    description,
    ...(preset === undefined ? {} : { default: preset }),
  });
}

/** A number of bytes such as `64KiB`. */
export function size(
  description: string,
  options: { readonly default?: string; readonly minBytes?: number; readonly maxBytes?: number } = {},
) {
  const { default: preset, minBytes = 0, maxBytes = Number.MAX_SAFE_INTEGER } = options;
  return Type.String({
    title: 'a size such as 64KiB, 10MiB',
    description,
    format: 'size',
    pattern: SIZE_PATTERN,
    minBytes,
    maxBytes,
    ...(preset === undefined ? {} : { default: preset }),
  });
}

/** A whole number from `minimum` to `maximum`. */
export function count(description: string, minimum: number, maximum: number, preset?: number) {
  return Type.Integer({
    description,
    minimum,
    maximum,
    ...(preset === undefined ? {} : { default: preset }),
  });
}

/** Text that one of the named formats reads. */
export function text(format: string, description: string, options: TSchemaOptions = {}) {
  return Type.String({ description, format, ...options });
}

/** A block that knows all of its keys. */
export function block<T extends TProperties>(
  description: string,
  properties: T,
  options: TSchemaOptions = {},
): TObject<T> {
  return Type.Object(properties, { description, additionalProperties: false, ...options });
}

/** A block of the same kind, or `false` to switch it off. */
export function orOff<T extends TSchema & { readonly description?: string }>(
  schema: T,
  options: TSchemaOptions = {},
) {
  return Type.Union([Type.Literal(false), schema], { description: schema.description ?? '', ...options });
}

/** Header fields by name. */
export function fields(description: string, nameFormat: string, options: TSchemaOptions = {}) {
  const value = Type.String({ format: 'field-value', secret: true });
  return Type.Record(Type.String(), value, {
    description,
    secret: true,
    propertyNames: { format: nameFormat },
    ...options,
  });
}
