import type { ServerResponse } from 'node:http';
import type { TestContext } from 'node:test';
import { type HttpBackend, startHttpBackend } from '../agents/http-backend.ts';

/** How a backend's `/health` answers: with a status, or not before the test says so. */
export type Health = number | 'held';

/** A backend in this process that says on `/health` what a test wants, and its own name on every other path. */
export class ProbedBackend {
  readonly name: string;
  health: Health;
  probes = 0;
  /** Targets of the other requests, in the order they came. */
  readonly requests: string[] = [];
  /** When set, what other requests are answered with. */
  answer: (response: ServerResponse) => void = (response) => response.end(this.name);
  readonly #held: ServerResponse[] = [];
  #server: HttpBackend | undefined;

  private constructor(name: string, health: Health) {
    this.name = name;
    this.health = health;
  }

  static async start(t: TestContext, name: string, health: Health = 200): Promise<ProbedBackend> {
    const backend = new ProbedBackend(name, health);
    await backend.listen(t);
    return backend;
  }

  /** Listens (again, where it did before). */
  async listen(t: TestContext): Promise<void> {
    this.#server = await startHttpBackend(
      t,
      (request, response) => {
        if (request.url === '/health') this.#probed(response);
        else {
          this.requests.push(request.url ?? '');
          this.answer(response);
        }
      },
      { port: this.port },
    );
  }

  get port(): number {
    return this.#server?.port ?? 0;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Answers the probes that are held, and all to come, with `status`. */
  release(status: number): void {
    this.health = status;
    for (const response of this.#held.splice(0)) response.writeHead(status).end();
  }

  async stop(): Promise<void> {
    await this.#server?.stop();
  }

  #probed(response: ServerResponse): void {
    this.probes += 1;
    if (this.health === 'held') this.#held.push(response);
    else response.writeHead(this.health).end();
  }
}
