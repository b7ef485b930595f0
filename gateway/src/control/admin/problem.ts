import { STATUS_CODES } from 'node:http';

/** An answer that is an error. */
export interface AdminProblem {
  readonly status: number;
  /** For people; nothing of the inside. */
  readonly detail: string;
  /** Members beside those of RFC 9457, e.g. `field`. */
  readonly extra?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Ends a request with a problem. */
export class ProblemError extends Error {
  readonly problem: AdminProblem;

  constructor(problem: AdminProblem) {
    super(problem.detail);
    this.problem = problem;
  }
}

export const PROBLEM_TYPE = 'application/problem+json';

/** On every answer: what is shown changes by the second, and nothing of it is to be taken for a page. */
export const COMMON_HEADERS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
};

/** The body of a problem (RFC 9457). With `about:blank`, the title is the status's phrase (§4.2.1). */
export function problemBody({ status, detail, extra }: AdminProblem): string {
  return toJson({ type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, detail, ...extra });
}

/** Indented, with a line break at its end: most readers of this API are people with curl. */
export function toJson(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
