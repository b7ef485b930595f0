// fetch and not EventSource: only so can a refusal be told in its own words.

const SILENT_MS = 5_000;
const RETRY_MS = [1_000, 2_000, 4_000, 5_000];

/**
 * @typedef {{ kind: 'live' } | { kind: 'connecting' } | { kind: 'lost', reason: string, retryAtMs: number }} LinkState
 */

/** Follows the stream for as long as the page is open. */
export class Stream {
  #url;
  #onMessage;
  #onState;
  #attempts = 0;
  /** @type {(() => void) | undefined} */
  #wake;

  /**
   * @param {string} url
   * @param {(type: string, data: any) => void} onMessage
   * @param {(state: LinkState) => void} onState
   */
  constructor(url, onMessage, onState) {
    this.#url = url;
    this.#onMessage = onMessage;
    this.#onState = onState;
  }

  /** Never ends. */
  async follow() {
    for (;;) {
      this.#onState({ kind: 'connecting' });
      const reason = await this.#once();
      const waitMs = RETRY_MS[Math.min(this.#attempts, RETRY_MS.length - 1)] ?? 5_000;
      this.#attempts += 1;
      this.#onState({ kind: 'lost', reason, retryAtMs: Date.now() + waitMs });
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, waitMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve(undefined);
        };
      });
    }
  }

  retryNow() {
    this.#wake?.();
  }

  /** One connection. @returns {Promise<string>} why it ended */
  async #once() {
    const abort = new AbortController();
    const watchdog = new Watchdog(() => abort.abort());
    try {
      const answer = await fetch(this.#url, {
        signal: abort.signal,
        headers: { accept: 'text/event-stream' },
      });
      if (!answer.ok || answer.body === null) return await refusalOf(answer);
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = '';
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return 'the gateway ended the connection';
        watchdog.pat();
        const messages = (rest + value).split('\n\n');
        rest = messages.pop() ?? '';
        for (const message of messages) this.#hear(message);
      }
    } catch {
      return watchdog.barked ? 'nothing came for 5 seconds' : 'the gateway cannot be reached';
    } finally {
      watchdog.stop();
      abort.abort();
    }
  }

  /** @param {string} message */
  #hear(message) {
    let type = '';
    let data = '';
    for (const line of message.split('\n')) {
      if (line.startsWith('event: ')) type = line.slice(7);
      if (line.startsWith('data: ')) data = line.slice(6);
    }
    if (data === '') return;
    if (this.#attempts > 0 || type === 'snapshot') this.#onState({ kind: 'live' });
    this.#attempts = 0;
    this.#onMessage(type, JSON.parse(data));
  }
}

class Watchdog {
  barked = false;
  #bark;
  #timer = 0;

  /** @param {() => void} bark */
  constructor(bark) {
    this.#bark = () => {
      this.barked = true;
      bark();
    };
    this.pat();
  }

  pat() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#bark, SILENT_MS);
  }

  stop() {
    clearTimeout(this.#timer);
  }
}

/** @param {Response} answer */
async function refusalOf(answer) {
  const problem = await answer.json().catch(() => undefined);
  return typeof problem?.detail === 'string' ? problem.detail : `the gateway answers ${answer.status}`;
}
