import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** How long answers under way may take once the server closes; whoever reads slower loses theirs. */
const CLOSE_MS = 5_000;

/**
 * The connections of a server, so that closing it waits for answers and not for clients. Node's own closeIdleConnections
 * leaves those open that have not sent a request yet, and cuts off answers that are written but not yet read.
 */
export class Connections {
  readonly #answersUnderWay = new Map<Socket, Set<ServerResponse>>();
  #closing = false;

  constructor(server: Server) {
    // the server's close would call it
    server.closeIdleConnections = () => {};
    server.on('connection', (socket) => {
      if (this.#closing) return void socket.destroy();
      this.#answersUnderWay.set(socket, new Set());
      socket.once('close', () => this.#answersUnderWay.delete(socket));
    });
    server.on('request', (request, response) => this.#track(request, response));
  }

  /** Ends idle connections now and the others after their answers. Call it together with the server's own close. */
  close(): void {
    this.#closing = true;
    for (const [socket, answers] of this.#answersUnderWay) {
      // half a request is not waited for: its answer has not begun
      if (![...answers].some(({ req }) => req.complete)) socket.destroy();
      for (const answer of answers) answer.shouldKeepAlive = false;
    }
    const deadline = setTimeout(() => {
      for (const socket of this.#answersUnderWay.keys()) socket.destroy();
    }, CLOSE_MS);
    // the sockets hold the process; without any, nothing is left to wait for
    deadline.unref();
  }

  #track({ socket }: IncomingMessage, response: ServerResponse): void {
    const answers = this.#answersUnderWay.get(socket);
    if (answers === undefined) return;
    answers.add(response);
    if (this.#closing) response.shouldKeepAlive = false;
    response.once('close', () => {
      answers.delete(response);
      if (this.#closing && answers.size === 0) socket.end();
    });
  }
}
