/** What a Range header asks of a representation of a known size. */
export type RangeAnswer =
  /** No range, or one that a server may ignore: the whole is sent with 200. */
  | { readonly kind: 'whole' }
  /** Both ends inclusive: 206. */
  | { readonly kind: 'part'; readonly first: number; readonly last: number }
  /** 416. */
  | { readonly kind: 'unsatisfiable' };

const WHOLE: RangeAnswer = { kind: 'whole' };

/**
 * Reads a Range header (RFC 9110 §14.1.2) against `size` bytes. What is malformed, in another unit or more than
 * one range is ignored, as §14.2 allows: several ranges in one answer are a known way to make servers work.
 */
export function parseRange(header: string | undefined, size: number): RangeAnswer {
  // fifteen digits stay below 2^53
  const match = header === undefined ? null : /^bytes=[ \t]*([0-9]{0,15})-([0-9]{0,15})[ \t]*$/i.exec(header);
  if (match === null) return WHOLE;
  const [, from = '', to = ''] = match;
  if (from === '' && to === '') return WHOLE;
  if (from === '') return suffix(Number(to), size);
  const first = Number(from);
  const last = to === '' ? size - 1 : Math.min(Number(to), size - 1);
  if (to !== '' && Number(to) < first) return WHOLE;
  return first < size ? { kind: 'part', first, last } : { kind: 'unsatisfiable' };
}

/** The last `length` bytes; all of them when there are fewer. */
function suffix(length: number, size: number): RangeAnswer {
  if (length === 0 || size === 0) return { kind: 'unsatisfiable' };
  return { kind: 'part', first: Math.max(0, size - length), last: size - 1 };
}
