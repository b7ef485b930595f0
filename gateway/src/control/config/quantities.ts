import type { Parsed } from './parsed.ts';
import { bad, good, show } from './parsed.ts';

const MILLISECONDS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const BYTES: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1000,
  MB: 1000 ** 2,
  GB: 1000 ** 3,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
};

/** 24 days: past 2^31 ms a timer of Node fires at once. */
export const LONGEST_MS = 24 * 86_400_000;

/** Patterns of the two, for the JSON Schema. */
export const DURATION_PATTERN = '^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$';
export const SIZE_PATTERN = '^[0-9]+(\\.[0-9]+)?(B|KB|MB|GB|KiB|MiB|GiB)$';

/** `250ms`, `5s`, `1.5m`, `2h`, `30d`, in milliseconds. */
export function parseDuration(text: string): Parsed<number> {
  const match = /^([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)$/.exec(text);
  const ms = match === null ? undefined : scaled(match[1], MILLISECONDS[match[2] ?? '']);
  if (ms !== undefined) return good(ms);
  const guess = guessDuration(text);
  const isGood = guess !== undefined && guess !== text && parseDuration(guess).ok;
  return bad(`${show(text)} is not a duration`, isGood ? guess : undefined);
}

/** `512B`, `64KiB`, `10MiB`, `1GB`, in bytes. */
export function parseSize(text: string): Parsed<number> {
  const match = /^([0-9]+(?:\.[0-9]+)?)(B|[KMG]i?B)$/.exec(text);
  const bytes = match === null ? undefined : scaled(match[1], BYTES[match[2] ?? '']);
  if (bytes !== undefined) return good(bytes);
  const guess = guessSize(text);
  const isGood = guess !== undefined && guess !== text && parseSize(guess).ok;
  return bad(`${show(text)} is not a size`, isGood ? guess : undefined);
}

/** Whole milliseconds or bytes only: half a byte was surely a slip. */
function scaled(digits: string | undefined, unit: number | undefined): number | undefined {
  if (digits === undefined || unit === undefined || digits.length > 18) return undefined;
  // 1.1 s is 1100.0000000000002 ms in binary.
  const value = Number((Number(digits) * unit).toPrecision(15));
  return Number.isSafeInteger(value) ? value : undefined;
}

const DURATION_WORDS: readonly (readonly [RegExp, string])[] = [
  [/^(ms|msecs?|millis|milliseconds?)$/, 'ms'],
  [/^(s|secs?|seconds?)$/, 's'],
  [/^(m|mins?|minutes?)$/, 'm'],
  [/^(h|hrs?|hours?)$/, 'h'],
  [/^(d|days?)$/, 'd'],
];

function guessDuration(text: string): string | undefined {
  const plain = text.replace(/[\s_]/g, '').toLowerCase();
  if (plain.length > 30) return undefined;
  const number = /^[0-9]+(\.[0-9]+)?$/.exec(plain);
  // People write a bare number for seconds when it is small and for milliseconds when it is not.
  if (number !== null) return `${plain}${Number(plain) < 100 ? 's' : 'ms'}`;
  const match = /^([0-9]+(?:\.[0-9]+)?)([a-z]+)$/.exec(plain);
  const unit = DURATION_WORDS.find(([words]) => words.test(match?.[2] ?? ''))?.[1];
  if (match !== null && unit !== undefined) return `${match[1]}${unit}`;
  return guessCompound(plain);
}

/** `1m30s`, as Go writes it. */
function guessCompound(text: string): string | undefined {
  if (!/^([0-9]{1,6}(ms|s|m|h|d))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, digits, unit] of text.matchAll(/([0-9]+)(ms|s|m|h|d)/g)) {
    total += Number(digits) * (MILLISECONDS[unit ?? ''] ?? 0);
  }
  return formatDuration(total);
}

/** The shortest exact way to write a number of milliseconds. */
export function formatDuration(ms: number): string {
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    const size = MILLISECONDS[unit] ?? 1;
    if (ms >= size && ms % size === 0) return `${ms / size}${unit}`;
  }
  return `${ms}ms`;
}

/** The largest unit that gives a whole number of bytes. */
export function formatSize(bytes: number): string {
  for (const unit of ['GiB', 'MiB', 'KiB'] as const) {
    const size = BYTES[unit] ?? 1;
    if (bytes >= size && bytes % size === 0) return `${bytes / size}${unit}`;
  }
  return `${bytes}B`;
}

function guessSize(text: string): string | undefined {
  const match = /^([0-9]+(?:\.[0-9]+)?)([kmgb]?)(i?)(b|bytes?)?$/i.exec(text.replace(/[\s_]/g, ''));
  if (match === null || text.length > 30) return undefined;
  const letter = (match[2] ?? '').toUpperCase();
  if (letter === '' || letter === 'B') return `${match[1]}B`;
  // nginx's 10m is binary; a written-out KB is left decimal.
  const decimal = match[3] === '' && match[4] !== undefined;
  return `${match[1]}${letter}${decimal ? '' : 'i'}B`;
}
