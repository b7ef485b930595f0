/**
 * One input as bytes in a buffer that is used again for the next, followed by the NUL that the codec asks for. As in the
 * gateway, what stands after that NUL is left over from earlier reads.
 */
export class Input {
  bytes: Buffer = Buffer.alloc(128 * 1024);
  end = 0;

  set(text: string): this {
    if (text.length >= this.bytes.length) this.bytes = Buffer.alloc(text.length * 2);
    this.end = this.bytes.write(text, 0, 'latin1');
    this.bytes[this.end] = 0;
    return this;
  }

  /** Calls `read` with only the bytes before `cut` there, as when the rest has not arrived yet. */
  before<T>(cut: number, read: () => T): T {
    const byte = this.bytes[cut] ?? 0;
    this.bytes[cut] = 0;
    const result = read();
    this.bytes[cut] = byte;
    return result;
  }
}
