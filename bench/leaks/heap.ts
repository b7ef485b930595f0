import { once } from 'node:events';

interface Usage {
  readonly usedSize: number;
  readonly backingStorageSize: number;
}

/** The heap of another process, over its inspector (`node --inspect`): what it holds once all garbage is gone. */
export class Heap {
  readonly #socket: WebSocket;
  #asked = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  /** @param output of a process started with --inspect, which prints where the inspector is */
  static async of(output: string): Promise<Heap> {
    const url = /Debugger listening on (ws:\S+)/.exec(output)?.[1];
    if (url === undefined) throw new Error(`no inspector is named in:\n${output}`);
    const socket = new WebSocket(url);
    await once(socket, 'open');
    return new Heap(socket);
  }

  /** Live bytes, those of buffers included. */
  async liveBytes(): Promise<number> {
    await this.#ask('HeapProfiler.collectGarbage');
    // what a first collection lets go of (handles, finalizers) only a second one finds
    await this.#ask('HeapProfiler.collectGarbage');
    const { usedSize, backingStorageSize } = (await this.#ask('Runtime.getHeapUsage')) as Usage;
    return usedSize + backingStorageSize;
  }

  close(): void {
    this.#socket.close();
  }

  async #ask(method: string): Promise<unknown> {
    this.#asked += 1;
    const id = this.#asked;
    this.#socket.send(JSON.stringify({ id, method }));
    for (;;) {
      const [{ data }] = (await once(this.#socket, 'message')) as [{ readonly data: string }];
      const answer = JSON.parse(data) as { readonly id?: number; readonly result?: unknown };
      if (answer.id === id) return answer.result;
    }
  }
}
