import type { FieldLines } from '../http1/field-lines.ts';

/**
 * Whether line `index` was read exactly as `name: value` CRLF with those lengths: then no character of either was taken for
 * the end of a line or of a name, and no white space stands around the value (RFC 9113 §8.2.1).
 */
export function isLineAsWritten(
  fields: FieldLines,
  index: number,
  nameLength: number,
  valueLength: number,
): boolean {
  const start = fields.lineStart[index] ?? 0;
  return (
    (fields.nameEnd[index] ?? 0) - start === nameLength &&
    (fields.lineEnd[index] ?? 0) - start === nameLength + valueLength + 4 &&
    fields.canonical(index)
  );
}
