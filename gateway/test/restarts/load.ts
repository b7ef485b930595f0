import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';

export interface LoadResult {
  /** Answers by status; 0 counts requests that got none, or not all of one. */
  readonly byStatus: ReadonlyMap<number, number>;
  readonly total: number;
}

/** Keep-alive clients that send one request after another until told to stop. */
export class Load {
  readonly #agent: Agent;
  readonly #byStatus = new Map<number, number>();
  readonly #clients: Promise<void>[];
  #running = true;
  #total = 0;

  constructor(port: number, clients: number, method = 'GET') {
    this.#agent = new Agent({ keepAlive: true, maxSockets: clients });
    this.#clients = Array.from({ length: clients }, () => this.#client(port, method));
  }

  get total(): number {
    return this.#total;
  }

  /** Resolves when `count` more requests have been answered. */
  async more(count: number): Promise<void> {
    const until = this.#total + count;
    while (this.#total < until) await new Promise((resolve) => setImmediate(resolve));
  }

  async stop(): Promise<LoadResult> {
    this.#running = false;
    await Promise.all(this.#clients);
    this.#agent.destroy();
    return { byStatus: this.#byStatus, total: this.#total };
  }

  async #client(port: number, method: string): Promise<void> {
    while (this.#running) {
      const status = await this.#once(port, method).catch(() => 0);
      this.#byStatus.set(status, (this.#byStatus.get(status) ?? 0) + 1);
      this.#total += 1;
    }
  }

  async #once(port: number, method: string): Promise<number> {
    const sent = request({ port, agent: this.#agent, method, path: '/' }).end(
      method === 'PUT' ? 'body' : undefined,
    );
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    for await (const _ of response);
    return response.statusCode ?? 0;
  }
}
