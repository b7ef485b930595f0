import type { Random } from './random.ts';
import { FIELD_LINES, FRAMING_LINES, TOKENS } from './vocabulary.ts';

/** A few random changes to `text`, in the places from `from` on. `other` is what it may be spliced with. */
export function mutate(random: Random, text: string, from: number, other: () => string): string {
  let changed = text;
  for (let i = 1 + random.below(random.oneIn(3) ? 4 : 1); i > 0; i--)
    changed = mutateOnce(random, changed, from, other);
  return changed;
}

function mutateOnce(random: Random, text: string, from: number, other: () => string): string {
  const at = Math.min(text.length, from + random.below(text.length - from));
  const before = text.slice(0, at);
  switch (random.below(12)) {
    case 0:
      return (
        before + String.fromCharCode((text.charCodeAt(at) || 0) ^ (1 << random.below(8))) + text.slice(at + 1)
      );
    case 1:
    case 2:
      return before + random.pick(TOKENS) + text.slice(at);
    case 3:
      return before + random.pick(TOKENS) + text.slice(at + 1);
    case 4:
      return before + text.slice(at + 1 + random.below(random.oneIn(3) ? 20 : 2));
    case 5:
      return before + text.slice(at, at + 1 + random.below(20)) + text.slice(at);
    case 6:
    case 7: {
      const line = lineStart(text, at, from);
      return (
        text.slice(0, line) + random.pick(random.oneIn(2) ? FRAMING_LINES : FIELD_LINES) + text.slice(line)
      );
    }
    case 8:
      return repeatLine(text, at, from);
    case 9:
      return (
        before + swapCase(text.slice(at, at + 1 + random.below(12))) + text.slice(at + 1 + random.below(12))
      );
    case 10:
      return changeNumber(random, text, at);
    default:
      return splice(random, text, at, other());
  }
}

/** The start of the line after `at`, or `from` when there is none. */
function lineStart(text: string, at: number, from: number): number {
  const end = text.indexOf('\n', at);
  return end < 0 ? Math.min(from, text.length) : end + 1;
}

function repeatLine(text: string, at: number, from: number): string {
  const start = lineStart(text, at, from);
  const end = lineStart(text, start, text.length);
  return text.slice(0, end) + text.slice(start, end) + text.slice(end);
}

function swapCase(text: string): string {
  const upper = text.toUpperCase();
  return (upper === text ? text.toLowerCase() : upper).replace(/[^\0-\xff]/g, '?').slice(0, text.length);
}

/** A number near `at` becomes one off, or odd. */
function changeNumber(random: Random, text: string, at: number): string {
  const number = /\d+/.exec(text.slice(at));
  if (number === null) return text;
  const start = at + number.index;
  const value = Number(number[0]);
  const odd = random.pick([
    `${value + 1}`,
    `${Math.max(0, value - 1)}`,
    `0${value}`,
    `+${value}`,
    `${value} `,
    value.toString(16),
  ]);
  return text.slice(0, start) + odd + text.slice(start + number[0].length);
}

function splice(random: Random, text: string, at: number, other: string): string {
  const from = random.below(other.length);
  return text.slice(0, at) + other.slice(from, random.oneIn(2) ? other.length : from + random.below(60));
}
