import type { Parsed } from './parsed.ts';
import { bad, good, show } from './parsed.ts';

/** Of shares, for the JSON Schema. */
export const PERCENT_PATTERN = '^(100|[0-9]{1,2}(\\.[0-9]{1,6})?)%$';

/** `1%`, `0.5%`, `100%`, as a share from 0 to 1. */
export function parsePercent(text: string): Parsed<number> {
  if (new RegExp(PERCENT_PATTERN).test(text)) return good(Number(text.slice(0, -1)) / 100);
  const number = Number(text.replace(/\s*%$/, ''));
  if (text === '' || !(number >= 0 && number <= 100))
    return bad(`${show(text)} is not a percentage such as 1%`);
  // of bare numbers, others take those below 1 for shares
  const percent = number < 1 && !text.includes('%') ? Number((number * 100).toPrecision(6)) : number;
  const guess = `${percent}%`;
  return bad(`${show(text)} is not a percentage such as 1%`, guess === text ? undefined : guess);
}
