import type { TestContext } from 'node:test';
import type { GatewayOptions } from '../../src/gateway.ts';
import { answer, type PlanChanges, stage } from '../support/stage.ts';

export interface Passed {
  /** The field lines that the backend received, in order, and its request line. */
  readonly requestLine: string;
  readonly request: readonly string[];
  /** The field lines that the client received. */
  readonly statusLine: string;
  readonly response: readonly string[];
}

export interface Passing {
  readonly requestLine?: string;
  readonly request?: readonly string[];
  readonly statusLine?: string;
  readonly response?: readonly string[];
  readonly changes?: PlanChanges;
  readonly options?: GatewayOptions;
}

/** One request through a gateway of its own: what came out at both ends. */
export async function through(t: TestContext, given: Passing): Promise<Passed> {
  const {
    requestLine = 'GET / HTTP/1.1',
    request = [],
    statusLine = 'HTTP/1.1 200 OK',
    response = ['Content-Length: 2'],
  } = given;
  const answerText = `${[statusLine, ...response].join('\r\n')}\r\n\r\nok`;
  const { client, backend } = await stage(t, answer(answerText), given.changes, given.options);
  const browser = await client();
  const host = request.some((line) => /^host:/i.test(line)) ? [] : ['Host: a.example'];
  browser.send(`${[requestLine, ...host, ...request].join('\r\n')}\r\n\r\n`);
  const answered = await browser.contains('ok');
  const [requestHead = ''] = backend.received.split('\r\n\r\n');
  const [responseHead = ''] = answered.split('\r\n\r\n');
  const [sentLine = '', ...sent] = requestHead.split('\r\n');
  const [gotLine = '', ...got] = responseHead.split('\r\n');
  return { requestLine: sentLine, request: sent, statusLine: gotLine, response: got };
}

/** The values of one field, in order; names compare without case. */
export function valuesOf(lines: readonly string[], name: string): string[] {
  const prefix = `${name.toLowerCase()}:`;
  return lines
    .filter((line) => line.toLowerCase().startsWith(prefix))
    .map((line) => line.slice(prefix.length).trim());
}

/** The names of fields, in lower case. */
export function namesOf(lines: readonly string[]): string[] {
  return lines.map((line) => line.slice(0, line.indexOf(':')).toLowerCase());
}
