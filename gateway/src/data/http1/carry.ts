/** Bytes of requests to come (pipelined) or of a body no backend takes yet, before reading stops. */
export const MAX_CARRY_BYTES = 64 * 1024;

const NO_BYTES = Buffer.alloc(0);

/** Bytes read and not yet used: part of a head, requests to come (pipelined), or a body that no backend takes yet. */
export class Carry {
  #bytes: Buffer | undefined;
  /** How far the end of a head has been looked for, so that a dripping client costs no more than a fast one. */
  #searched = 0;

  get empty(): boolean {
    return this.#bytes === undefined;
  }

  get size(): number {
    return this.#bytes?.length ?? 0;
  }

  /** Copies `bytes[start, end)` behind what is there. */
  add(bytes: Buffer, start: number, end: number): void {
    const more = bytes.subarray(start, end);
    this.#bytes = this.#bytes === undefined ? Buffer.from(more) : Buffer.concat([this.#bytes, more]);
  }

  /** Copies an incomplete head. */
  addHead(bytes: Buffer, start: number, end: number): void {
    this.add(bytes, start, end);
    this.#searched = end - start;
  }

  /** Whether what is there may hold a whole head: its end is there, or it is too long for one. */
  mayHoldHead(maxHeadBytes: number): boolean {
    const bytes = this.#bytes ?? NO_BYTES;
    const from = Math.max(0, this.#searched - 3);
    this.#searched = bytes.length;
    return bytes.length >= maxHeadBytes || bytes.indexOf('\r\n\r\n', from, 'latin1') >= 0;
  }

  /** Hands everything over, followed by a NUL that is not counted (see FieldLines). */
  take(): { readonly bytes: Buffer; readonly end: number } {
    const held = this.#bytes ?? NO_BYTES;
    this.clear();
    return { bytes: Buffer.concat([held, NUL]), end: held.length };
  }

  clear(): void {
    this.#bytes = undefined;
    this.#searched = 0;
  }
}

const NUL = Buffer.alloc(1);
