/** Something to say about a config file, at a place in it. */
export interface Problem {
  readonly severity: 'error' | 'warning';
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units, as editors count. */
  readonly column: number;
  readonly message: string;
}

/** `file:line:col: what, and what was probably meant`: the form editors and terminals make clickable. */
export function formatProblem(problem: Problem): string {
  const kind = problem.severity === 'warning' ? 'warning: ' : '';
  return `${problem.file}:${problem.line}:${problem.column}: ${kind}${problem.message}`;
}

/** A five-megabyte file can be wrong half a million times; nobody reads past the first thousand. */
const MOST_KEPT = 1000;

/** Gathers the problems of one file and turns offsets into lines and columns. */
export class ProblemList {
  readonly #file: string;
  readonly #length: number;
  readonly #lineStarts: readonly number[];
  readonly #kept = new Map<string, Problem>();
  #errors = 0;
  #dropped = 0;

  constructor(source: { readonly text: string; readonly file: string }) {
    this.#file = source.file;
    this.#length = source.text.length;
    this.#lineStarts = findLineStarts(source.text);
  }

  get errorCount(): number {
    return this.#errors;
  }

  error(offset: number, message: string): void {
    this.#errors++;
    this.#add('error', offset, message);
  }

  warning(offset: number, message: string): void {
    this.#add('warning', offset, message);
  }

  /** The line of an offset, from 1, for messages that point at another place. */
  lineOf(offset: number): number {
    return this.#position(offset).line;
  }

  /** In the order of the file. */
  sorted(): readonly Problem[] {
    const sorted = [...this.#kept.values()].sort((a, b) => a.line - b.line || a.column - b.column);
    const last = sorted.at(-1);
    if (this.#dropped > 0 && last !== undefined) {
      sorted.push({ ...last, message: `and ${this.#dropped} more problems` });
    }
    return sorted;
  }

  #add(severity: Problem['severity'], offset: number, message: string): void {
    const problem = { severity, file: this.#file, ...this.#position(offset), message };
    // What an alias repeats is wrong only once.
    const key = formatProblem(problem);
    if (this.#kept.has(key)) return;
    if (this.#kept.size >= MOST_KEPT) this.#dropped++;
    else this.#kept.set(key, problem);
  }

  #position(offset: number): { readonly line: number; readonly column: number } {
    const place = Math.max(0, Math.min(offset, this.#length));
    let low = 0;
    let high = this.#lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#lineStarts[middle] ?? 0) <= place) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: place - (this.#lineStarts[low] ?? 0) + 1 };
  }
}

function findLineStarts(text: string): readonly number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}
