import { check } from 'k6';
import exec from 'k6/execution';
import { Rate, Trend } from 'k6/metrics';
import { WebSocket } from 'k6/websockets';
import { PATIENCE_MS } from '../thresholds.ts';

/** From saying something to hearing it from the room, in milliseconds. */
const echo = new Trend('chat_echo', true);
const failed = new Rate('chat_sessions_failed');

const MESSAGES = 5;
const PAUSE_MS = 200;
/** Sessions that follow each other share these, so that each talks to a few others. */
const ROOMS = 20;
const TAGS = { route: 'chat.ws', service: 'chat', name: 'chat.ws' };
/** RFC 6455 §7.4.1: it was meant to end. */
const NORMAL = 1000;

interface Heard {
  readonly type: string;
  readonly from?: string;
  readonly text?: string;
}

/** Chat sessions of one VU. */
export class ChatSessions {
  readonly #url: string;

  constructor(baseUrl: string) {
    this.#url = `${baseUrl.replace(/^http/, 'ws')}/chat/ws`;
  }

  /** Begins one; the iteration ends when its socket has closed. */
  start(): void {
    const number = exec.scenario.iterationInTest;
    new ChatSession(`${this.#url}/load-${number % ROOMS}?name=load-${number}`, `load-${number}`);
  }
}

/** One user's: is welcomed, says some things, each when it has heard the one before, and leaves. */
class ChatSession {
  readonly #socket: WebSocket;
  readonly #name: string;
  readonly #timer: ReturnType<typeof setTimeout>;
  #welcomed = false;
  #left = false;
  #heard = 0;
  #saidAtMs = 0;
  #problem = '';

  constructor(url: string, name: string) {
    this.#name = name;
    this.#socket = new WebSocket(url, null, { tags: TAGS });
    this.#timer = setTimeout(() => this.#giveUp(), PATIENCE_MS);
    this.#socket.onmessage = (event) => this.#onMessage(JSON.parse(String(event?.data)) as Heard);
    this.#socket.onerror = (event) => {
      this.#problem ||= String(event?.error);
    };
    this.#socket.onclose = () => this.#onClose();
  }

  #onMessage({ type, from, text }: Heard): void {
    if (type === 'welcome') {
      this.#welcomed = true;
      this.#say();
    }
    if (type !== 'message' || from !== this.#name || text !== this.#text()) return;
    echo.add(Date.now() - this.#saidAtMs, TAGS);
    this.#heard += 1;
    if (this.#heard < MESSAGES) setTimeout(() => this.#say(), PAUSE_MS);
    else this.#leave();
  }

  #say(): void {
    this.#saidAtMs = Date.now();
    this.#socket.send(JSON.stringify({ type: 'say', text: this.#text() }));
  }

  #text(): string {
    return `${this.#name} says ${this.#heard}`;
  }

  #leave(): void {
    this.#left = true;
    this.#socket.close(NORMAL);
  }

  #giveUp(): void {
    this.#problem = `nothing more was heard in ${PATIENCE_MS} ms`;
    this.#socket.close();
  }

  #onClose(): void {
    clearTimeout(this.#timer);
    const right = check(
      this.#heard,
      {
        'chat.ws: welcomed': () => this.#welcomed,
        'chat.ws: heard every message': (heard) => heard === MESSAGES,
        'chat.ws: nobody else ended it': () => this.#left,
      },
      { route: 'chat.ws' },
    );
    failed.add(!right, TAGS);
    if (!right)
      console.error(`${this.#name}: heard ${this.#heard} of ${MESSAGES} messages: ${this.#problem}`);
  }
}
