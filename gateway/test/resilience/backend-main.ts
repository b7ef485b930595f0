import { appendFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

// A backend that tests start as a process of its own: `node backend-main.ts PORT LEDGER DELAY_MS`, with an IPC channel.
// It writes the id of every POST that it carries out to the ledger, a file, so that this outlives a kill -9.

/** What the test may tell it; it sends the same back when it is done. */
export type Command =
  | 'normal'
  /** Takes connections and closes them at once. */
  | 'accept-and-close'
  /** Refuses connections and breaks those it has. */
  | 'down'
  | 'up';

/** What it tells the test. */
export type Message =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'done'; readonly command: Command }
  /** Somebody asked for its health. */
  | { readonly kind: 'probed'; readonly by: string };

const [port = '0', ledger = '', delay = '0'] = process.argv.slice(2);
const delayMs = Number(delay);
let closesAtOnce = false;
let stopping = false;

const tell = (message: Message): void => void process.send?.(message);

function serve(request: IncomingMessage, response: ServerResponse): void {
  if (stopping) response.setHeader('Connection', 'close');
  if (request.url === '/health') {
    tell({ kind: 'probed', by: String(request.headers['x-prober']) });
    response.end('well');
    return;
  }
  request.resume().on('end', () => {
    if (request.method === 'POST') appendFileSync(ledger, `${request.headers['x-id']}\n`);
    if (delayMs === 0) response.end(String(process.pid));
    else setTimeout(() => response.end(String(process.pid)), delayMs);
  });
}

const server = createServer({ keepAliveTimeout: 30_000 }, serve);
server.on('connection', (socket) => {
  if (closesAtOnce) socket.destroy();
});

function listen(on: number, then: (port: number) => void): void {
  server.listen(on, '127.0.0.1', () => then((server.address() as AddressInfo).port));
}

let listeningOn = 0;

function carryOut(command: Command, done: () => void): void {
  closesAtOnce = command === 'accept-and-close';
  if (command === 'up') {
    listen(listeningOn, done);
    return;
  }
  if (command === 'down') server.close();
  if (command !== 'normal') server.closeAllConnections();
  done();
}

process.on('message', (command: Command) => carryOut(command, () => tell({ kind: 'done', command })));

// as services stop: no new connections, idle ones closed, the others as their requests are answered
process.on('SIGTERM', () => {
  stopping = true;
  server.close(() => process.exit(0));
  setInterval(() => server.closeIdleConnections(), 1);
});

// ends with the test, even one that was killed itself
process.on('disconnect', () => process.exit());

listen(Number(port), (taken) => {
  listeningOn = taken;
  tell({ kind: 'listening', port: taken });
});
