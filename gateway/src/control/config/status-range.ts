import type { Parsed } from './parsed.ts';
import { bad, good, show } from './parsed.ts';

/** Both ends are in it. */
export interface StatusRange {
  readonly minStatus: number;
  readonly maxStatus: number;
}

/** `200`, or `200-399`. */
export function parseStatusRange(text: string): Parsed<StatusRange> {
  const match = /^([1-5][0-9]{2})(?:-([1-5][0-9]{2}))?$/.exec(text);
  if (match === null) return bad(`${show(text)} is not a status such as 200 or a range such as 200-399`);
  const minStatus = Number(match[1]);
  const maxStatus = Number(match[2] ?? match[1]);
  if (maxStatus < minStatus) return bad(`${show(text)} ends before it starts`, `${maxStatus}-${minStatus}`);
  return good({ minStatus, maxStatus });
}
