import type { WebSocket } from 'ws';

/**
 * Finds peers whose machine or network went away without a word. `beat` is to be called at an interval: who has
 * not answered the ping of the beat before is cut off.
 */
export class Heartbeat {
  readonly #answered = new Map<WebSocket, boolean>();

  watch(socket: WebSocket): void {
    this.#answered.set(socket, true);
    socket.on('pong', () => this.#answered.set(socket, true));
    socket.on('close', () => this.#answered.delete(socket));
  }

  beat(): void {
    for (const [socket, answered] of this.#answered) {
      if (!answered) socket.terminate();
      else {
        this.#answered.set(socket, false);
        socket.ping();
      }
    }
  }
}
