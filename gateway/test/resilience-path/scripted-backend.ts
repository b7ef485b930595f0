import { RawBackend, type RawConnection } from '../support/raw-backend.ts';

/** One request as it arrived, whole. */
export interface Asked {
  readonly method: string;
  readonly target: string;
  /** Request line and fields. */
  readonly head: string;
  /** Without its framing. */
  readonly body: string;
  readonly connection: RawConnection;
}

/** What a backend does with a request once all of it is there. */
export type Behaviour = (asked: Asked) => void;

export const ok: Behaviour = (asked) => answer(asked, 200, 'ok');
export const hang: Behaviour = () => {};
export const reset: Behaviour = ({ connection }) => void connection.socket.resetAndDestroy();

/** Answers with `status` and a small body; `fields` are whole lines, each with its CRLF. */
export const failing =
  (status: number, fields = ''): Behaviour =>
  (asked) =>
    answer(asked, status, `failed with ${status}`, fields);

export function answer({ connection, method }: Asked, status: number, body: string, fields = ''): void {
  const head = `HTTP/1.1 ${status} Told\r\nContent-Length: ${body.length}\r\n${fields}\r\n`;
  connection.socket.write(method === 'HEAD' ? head : head + body, 'latin1');
}

/** A backend that keeps every request and does with it what the test says; that can be changed at any time. */
export class ScriptedBackend {
  readonly asked: Asked[] = [];
  behave: Behaviour;
  #raw: RawBackend;
  readonly #port: number;
  readonly #read = new WeakMap<RawConnection, number>();

  private constructor(raw: RawBackend, behave: Behaviour) {
    this.#raw = raw;
    this.#port = raw.port;
    this.behave = behave;
  }

  static async start(behave: Behaviour = ok): Promise<ScriptedBackend> {
    let backend: ScriptedBackend | undefined;
    const raw = await RawBackend.start((connection) => backend?.onData(connection));
    backend = new ScriptedBackend(raw, behave);
    return backend;
  }

  get port(): number {
    return this.#port;
  }

  /** As the gateway knows it. */
  get name(): string {
    return `127.0.0.1:${this.#port}`;
  }

  get connections(): readonly RawConnection[] {
    return this.#raw.connections;
  }

  /** Waits until `done`, looking again whenever anything happens on any connection. */
  until(done: () => boolean): Promise<void> {
    return this.#raw.until(done);
  }

  /** Waits until so many requests have come, and returns the last of them. */
  async askedTimes(times: number): Promise<Asked> {
    await this.until(() => this.asked.length >= times);
    const asked = this.asked[times - 1];
    if (asked === undefined) throw new Error('unreachable');
    return asked;
  }

  /** Listens again where it listened before `stop`. */
  async restart(): Promise<void> {
    this.#raw = await RawBackend.start((connection) => this.onData(connection), this.#port);
  }

  /** Nobody listens there any more, and every connection ends. */
  stop(): Promise<void> {
    return this.#raw.stop();
  }

  onData(connection: RawConnection): void {
    for (;;) {
      const from = this.#read.get(connection) ?? 0;
      const asked = readRequest(connection, from);
      if (asked === undefined) return;
      this.#read.set(connection, from + asked.length);
      this.asked.push(asked.request);
      this.behave(asked.request);
    }
  }
}

/** The request at `from`, and how long it is; undefined while some of it is missing. */
function readRequest(
  connection: RawConnection,
  from: number,
): { readonly request: Asked; readonly length: number } | undefined {
  const text = connection.received.slice(from);
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const head = text.slice(0, headEnd);
  const [method = '', target = ''] = head.split(' ', 2);
  const bodyAt = headEnd + 4;
  const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
  if (text.length < bodyAt + length) return undefined;
  const body = text.slice(bodyAt, bodyAt + length);
  return { request: { method, target, head, body, connection }, length: bodyAt + length };
}
