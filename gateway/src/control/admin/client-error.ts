import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { type AdminProblem, COMMON_HEADERS, PROBLEM_TYPE, problemBody } from './problem.ts';

const BY_CODE: Readonly<Record<string, AdminProblem>> = {
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, detail: 'the request did not arrive in time' },
  HPE_HEADER_OVERFLOW: { status: 431, detail: 'the header fields are too large' },
};

const MALFORMED: AdminProblem = { status: 400, detail: 'this is not an HTTP/1.1 request' };

/** Answers what Node's parser could make no request of, and ends the connection. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const problem = BY_CODE[error.code ?? ''] ?? MALFORMED;
  const { fields, body } = closingAnswer(problem);
  const head = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}\r\n${head.join('')}\r\n${body}`);
}

/** Answers a request that expects anything but 100-continue (RFC 9110 §10.1.1); Node would do so without a body. */
export function answerExpectation(_request: IncomingMessage, response: ServerResponse): void {
  const { fields, body } = closingAnswer({ status: 417, detail: 'only 100-continue can be expected' });
  response.writeHead(417, fields).end(body);
}

function closingAnswer(problem: AdminProblem): {
  readonly fields: Readonly<Record<string, string>>;
  readonly body: string;
} {
  const body = problemBody(problem);
  const fields = {
    ...COMMON_HEADERS,
    'content-type': PROBLEM_TYPE,
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
  };
  return { fields, body };
}
