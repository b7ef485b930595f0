import * as http from 'node:http';
import * as https from 'node:https';

/** How a collector took a batch. */
export type PostResult =
  /** `complaint`: what it said of spans that it refused. */
  | { readonly kind: 'taken'; readonly refused: number; readonly complaint: string }
  /** It may be taken later. */
  | { readonly kind: 'later'; readonly why: string; readonly afterMs: number }
  /** It never will be. */
  | { readonly kind: 'refused'; readonly why: string };

/** OTLP/HTTP: these, and these only, mean that the same may be sent again. */
const RETRYABLE: ReadonlySet<number> = new Set([429, 502, 503, 504]);
const MOST_ANSWER_BYTES = 64 * 1024;
const LONGEST_WAIT_MS = 60_000;

/** Sends batches to one collector over one keep-alive connection. */
export class OtlpPost {
  readonly #url: URL;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #timeoutMs: number;
  readonly #agent: http.Agent;

  constructor(url: string, headers: Readonly<Record<string, string>>, timeoutMs: number) {
    this.#url = new URL(url);
    this.#headers = headers;
    this.#timeoutMs = timeoutMs;
    const options = { keepAlive: true, maxSockets: 1 };
    this.#agent = this.#url.protocol === 'https:' ? new https.Agent(options) : new http.Agent(options);
  }

  /** Never rejects. */
  async post(body: Buffer): Promise<PostResult> {
    const first = await this.#once(body);
    // a connection that the collector was closing just then: that is nobody's failure
    return first === 'stale' ? this.#once(body).then((again) => (again === 'stale' ? STALE : again)) : first;
  }

  close(): void {
    this.#agent.destroy();
  }

  #once(body: Buffer): Promise<PostResult | 'stale'> {
    const { request } = this.#url.protocol === 'https:' ? https : http;
    return new Promise((resolve) => {
      const sent = request(this.#url, {
        agent: this.#agent,
        method: 'POST',
        headers: {
          ...this.#headers,
          'Content-Type': 'application/json',
          'Content-Length': body.length,
          'User-Agent': 'portway',
        },
      });
      const timer = setTimeout(() => {
        resolve({ kind: 'later', why: `no answer in ${this.#timeoutMs} ms`, afterMs: 0 });
        sent.destroy();
      }, this.#timeoutMs);
      sent.on('response', (response) => {
        void answerOf(response).then(resolve);
      });
      sent.on('error', (error: NodeJS.ErrnoException) => {
        const stale = sent.reusedSocket && error.code === 'ECONNRESET';
        resolve(stale ? 'stale' : { kind: 'later', why: error.code ?? error.message, afterMs: 0 });
      });
      sent.on('close', () => clearTimeout(timer));
      sent.end(body);
    });
  }
}

const STALE: PostResult = { kind: 'later', why: 'ECONNRESET', afterMs: 0 };

async function answerOf(response: http.IncomingMessage): Promise<PostResult> {
  const status = response.statusCode ?? 0;
  let text = '';
  try {
    response.setEncoding('utf8');
    for await (const part of response) {
      if (text.length < MOST_ANSWER_BYTES) text += part;
    }
  } catch {
    // the status has said it all
  }
  if (status >= 200 && status < 300) return { kind: 'taken', ...partialOf(text) };
  const why = `status ${status}`;
  if (!RETRYABLE.has(status)) return { kind: 'refused', why };
  const seconds = Number(response.headers['retry-after']);
  return { kind: 'later', why, afterMs: seconds > 0 ? Math.min(LONGEST_WAIT_MS, seconds * 1_000) : 0 };
}

/** ExportTracePartialSuccess. */
function partialOf(text: string): { readonly refused: number; readonly complaint: string } {
  try {
    const { partialSuccess } = JSON.parse(text) as {
      readonly partialSuccess?: { readonly rejectedSpans?: unknown; readonly errorMessage?: unknown };
    };
    const refused = Number(partialSuccess?.rejectedSpans ?? 0);
    return {
      refused: Number.isFinite(refused) ? Math.max(0, refused) : 0,
      complaint: String(partialSuccess?.errorMessage ?? ''),
    };
  } catch {
    return { refused: 0, complaint: '' };
  }
}
