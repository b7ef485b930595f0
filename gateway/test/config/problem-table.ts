/** A config that is wrong, and all that is said of it. */
export interface ProblemCase {
  readonly name: string;
  readonly text: string;
  readonly said: readonly string[];
}

/** Follows a piece under test that says nothing of services and routes. */
export const REST = 'services: { a: { backends: [http://h:1] } }\nroutes: [{ path: /, service: a }]\n';

/** A service `a` with further keys, from line 4 on, indented by four. */
export function withService(...lines: readonly string[]): string {
  const keys = lines.map((line) => `    ${line}\n`).join('');
  return `services:\n  a:\n    backends: [http://h:1]\n${keys}routes: [{ path: /, service: a }]\n`;
}

/** One backend list, on line 3. */
export function withBackends(backends: string): string {
  return `services:\n  a:\n    backends: ${backends}\nroutes: [{ path: /, service: a }]\n`;
}

/** Routes, from line 3 on, each `{ … }` without its braces; the service is a. */
export function withRoutes(...routes: readonly string[]): string {
  const lines = routes.map((route) => `  - { ${route}, service: a }\n`).join('');
  return `services: { a: { backends: [http://h:1] } }\nroutes:\n${lines}`;
}

/** One listener on line 1 with its address on 0.0.0.0:80. */
export function withListener(keys: string): string {
  return `listeners: [{ address: "0.0.0.0:80", ${keys} }]\n${REST}`;
}

/** A listener of another protocol on line 1 and the service `a` on line 2, with further keys; no routes. */
export function withLayer4(listener: string, url = 'tcp://h:1', keys = ''): string {
  const more = keys === '' ? '' : `, ${keys}`;
  return `listeners: [{ address: "127.0.0.1:1", ${listener} }]\nservices: { a: { backends: ["${url}"]${more} } }\n`;
}
