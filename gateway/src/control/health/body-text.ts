/** What of a body is read: a probe is no download. */
const MAX_BYTES = 64 * 1024;

/** Looks for a text (UTF-8) in the first 64 KiB of a body, however it is cut into pieces. */
export class BodyText {
  readonly #text: string | undefined;
  readonly #wanted: Buffer;
  /** As many of the last bytes as may be the beginning of the text. */
  #tail: Buffer = Buffer.alloc(0);
  #bytes = 0;
  #found: boolean;

  /** @param text undefined: nothing is looked for */
  constructor(text: string | undefined) {
    this.#text = text;
    this.#wanted = Buffer.from(text ?? '');
    this.#found = this.#wanted.length === 0;
  }

  /** The text, as long as it has not been found; undefined when nothing is lacking. */
  get lacks(): string | undefined {
    return this.#found ? undefined : this.#text;
  }

  /** Whether reading on can change nothing: a text that was wanted is found, or 64 KiB are read. */
  get decided(): boolean {
    return this.#bytes >= MAX_BYTES || (this.#found && this.#wanted.length > 0);
  }

  read(bytes: Buffer): void {
    const part = bytes.subarray(0, MAX_BYTES - this.#bytes);
    this.#bytes += part.length;
    if (this.#found) return;
    const seen = Buffer.concat([this.#tail, part]);
    this.#found = seen.includes(this.#wanted);
    this.#tail = seen.subarray(Math.max(0, seen.length - this.#wanted.length + 1));
  }
}
