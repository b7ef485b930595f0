import { RawClient } from '../support/raw-client.ts';

export interface StreamMessage {
  readonly type: string;
  readonly id: string | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it as a client would
  readonly data: any;
}

/** A reader of the stream over a bare socket. */
export class EventStream {
  readonly client: RawClient;
  #taken = 0;

  private constructor(client: RawClient) {
    this.client = client;
  }

  static async open(port: number): Promise<EventStream> {
    const client = await RawClient.open(port);
    // RawClient waits with three listeners at a time, and leaves two behind
    client.socket.setMaxListeners(0);
    client.send('GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n');
    await client.contains('\r\n\r\n');
    return new EventStream(client);
  }

  get head(): string {
    return this.client.received.slice(0, this.client.received.indexOf('\r\n\r\n'));
  }

  /** The next message of that type that was not taken yet, once it is there. */
  async next(type: string): Promise<StreamMessage> {
    for (;;) {
      await this.client.until(() => this.#messages().length > this.#taken);
      const message = this.#messages()[this.#taken];
      this.#taken += 1;
      if (message?.type === type) return message;
    }
  }

  /** Everything but comments and `retry`. */
  #messages(): readonly StreamMessage[] {
    const { received } = this.client;
    const body = received.slice(received.indexOf('\r\n\r\n') + 4);
    return dechunked(body)
      .split('\n\n')
      .slice(0, -1)
      .map(messageOf)
      .filter(({ type }) => type !== '');
  }
}

function messageOf(text: string): StreamMessage {
  const fields = new Map(
    text.split('\n').map((line) => [line.split(': ', 1)[0], line.replace(/^\w*: /, '')]),
  );
  const data = Buffer.from(fields.get('data') ?? 'null', 'latin1').toString();
  return { type: fields.get('event') ?? '', id: fields.get('id'), data: JSON.parse(data) };
}

/** The whole chunks of a chunked body. */
function dechunked(body: string): string {
  let text = '';
  let at = 0;
  for (;;) {
    const lineEnd = body.indexOf('\r\n', at);
    const size = lineEnd < 0 ? 0 : Number.parseInt(body.slice(at, lineEnd), 16);
    const begin = lineEnd + 2;
    if (size === 0 || body.length < begin + size + 2) return text;
    text += body.slice(begin, begin + size);
    at = begin + size + 2;
  }
}
