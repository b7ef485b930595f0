import { CLASS, FIELD, TOKEN } from './characters.ts';

const NAME_START = 0;
const NAME = 1;
const VALUE_START = 2;
const VALUE = 3;
const QUOTED = 4;
const ESCAPED = 5;
const QUOTED_END = 6;

const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * What may follow a chunk size: `;name`, `;name=token`, `;name="quoted"`, again and again (RFC 9112 §7.1.1). White space
 * around them, which the RFC takes from old senders, is refused, as llhttp does: readers differ about it, and the
 * fuzz test found that any byte was taken here.
 */
export class ChunkExtension {
  #state = NAME_START;

  /** After the first semicolon. */
  start(): void {
    this.#state = NAME_START;
  }

  /** Whether the line may end here. */
  get whole(): boolean {
    return this.#state === NAME || this.#state === VALUE || this.#state === QUOTED_END;
  }

  /** Reads one byte; false when it may not stand here. */
  take(byte: number): boolean {
    const next = this.#next(byte);
    this.#state = next;
    return next >= 0;
  }

  #next(byte: number): number {
    const kind = CLASS[byte] ?? 0;
    switch (this.#state) {
      case NAME_START:
        return (kind & TOKEN) !== 0 ? NAME : -1;
      case NAME:
        if ((kind & TOKEN) !== 0) return NAME;
        return byte === EQUALS ? VALUE_START : separated(byte);
      case VALUE_START:
        if (byte === QUOTE) return QUOTED;
        return (kind & TOKEN) !== 0 ? VALUE : -1;
      case VALUE:
        return (kind & TOKEN) !== 0 ? VALUE : separated(byte);
      case QUOTED:
        if (byte === QUOTE) return QUOTED_END;
        if (byte === BACKSLASH) return ESCAPED;
        return (kind & FIELD) !== 0 ? QUOTED : -1;
      case ESCAPED:
        return (kind & FIELD) !== 0 ? QUOTED : -1;
      default:
        return separated(byte);
    }
  }
}

function separated(byte: number): number {
  return byte === SEMICOLON ? NAME_START : -1;
}
