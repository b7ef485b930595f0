import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

export interface ReadSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly flags: number;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status?: { readonly code: number };
  /** By key, unwrapped. */
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
}

export interface Batch {
  readonly headers: IncomingHttpHeaders;
  readonly path: string;
  readonly resource: ReadSpan['attributes'];
  readonly scope: string;
  readonly spans: readonly ReadSpan[];
}

type Value = {
  readonly stringValue?: string;
  readonly intValue?: string;
  readonly doubleValue?: number;
  readonly boolValue?: boolean;
};
type Attributes = readonly { readonly key: string; readonly value: Value }[];

/** A collector of OTLP over HTTP that keeps what it is sent, and answers as a test wants. */
export class Collector {
  readonly batches: Batch[] = [];
  /** Requests, whatever became of them. */
  posts = 0;
  answer: (response: ServerResponse) => void = (response) => void response.end('{}');
  readonly port: number;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on('request', (request, response) => {
      let text = '';
      request.setEncoding('utf8').on('data', (part) => {
        text += part;
      });
      request.on('end', () => {
        this.posts += 1;
        this.batches.push({ headers: request.headers, path: request.url ?? '', ...read(text) });
        this.answer(response);
        server.emit('portway-batch');
      });
    });
  }

  static async start(t: TestContext, port = 0): Promise<Collector> {
    const server = createServer();
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const collector = new Collector(server);
    t.after(() => collector.stop());
    return collector;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/v1/traces`;
  }

  get spans(): readonly ReadSpan[] {
    return this.batches.flatMap(({ spans }) => spans);
  }

  /** Waits until `done`, looking again after each batch. */
  async until(done: () => boolean): Promise<void> {
    while (!done()) await once(this.#server, 'portway-batch');
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

/** Reads an ExportTraceServiceRequest. Throws where it is none. */
function read(text: string): Omit<Batch, 'headers' | 'path'> {
  const { resourceSpans } = JSON.parse(text) as {
    readonly resourceSpans: readonly [
      {
        readonly resource: { readonly attributes: Attributes };
        readonly scopeSpans: readonly [
          {
            readonly scope: { readonly name: string };
            readonly spans: readonly (Omit<ReadSpan, 'attributes'> & { readonly attributes: Attributes })[];
          },
        ];
      },
    ];
  };
  const [{ resource, scopeSpans }] = resourceSpans;
  const [{ scope, spans }] = scopeSpans;
  return {
    resource: unwrapped(resource.attributes),
    scope: scope.name,
    spans: spans.map((span) => ({ ...span, attributes: unwrapped(span.attributes) })),
  };
}

function unwrapped(attributes: Attributes): ReadSpan['attributes'] {
  return Object.fromEntries(
    attributes.map(({ key, value: { stringValue, intValue, doubleValue, boolValue } }) => [
      key,
      stringValue ?? (intValue === undefined ? (doubleValue ?? boolValue ?? '') : Number(intValue)),
    ]),
  );
}
