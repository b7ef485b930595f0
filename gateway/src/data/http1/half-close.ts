/** Means nothing to a client that waits (RFC 9110 §15.2), and draws a reset from one that has left. */
export const PROCESSING = 'HTTP/1.1 102 Processing\r\n\r\n';
/** A half-closed client is asked whether it is still there after these times. */
const PROBE_MS: readonly number[] = [100, 500, 1_000, 5_000];
/** A client that is being answered and has closed its half is let go after so long without a byte for it. */
export const SILENT_MS = 1_000;
/** Lingering: how much, and how long, a client may go on sending after its answer, before it is cut off. */
export const LINGER_BYTES = 64 * 1024 * 1024;
export const LINGER_MS = 5_000;

/** What is known of a client that has closed its half of the connection. */
export class HalfClose {
  /** Whether some of an answer's body left since the client was last looked at. */
  answering = false;
  #probes = 0;

  /** How long to wait after the next probe. */
  nextMs(): number {
    const delayMs = PROBE_MS[Math.min(this.#probes, PROBE_MS.length - 1)] ?? SILENT_MS;
    this.#probes += 1;
    return delayMs;
  }
}
