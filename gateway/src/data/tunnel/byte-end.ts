/**
 * One end of a tunnel, as who writes to it sees it. A Wire is one, and so is a stream of HTTP/2.
 */
export interface ByteEnd {
  /** Whether a write has failed: the peer takes no more. */
  readonly broken: boolean;
  /** What was given to it and has not left. */
  readonly pendingBytes: number;
  /** Latin1 text, sent with the next flush. */
  text(text: string): void;
  /** Sent with the next flush. Only the buffer that all sockets share may be overwritten as soon as this returns. */
  bytes(bytes: Buffer, start: number, end: number): void;
  flush(): void;
  /** Reading from it. */
  pause(): void;
  resume(): void;
  /** Sends what was added, then the end of its half. */
  end(): void;
  /** Closes both halves when what was added has left, or now. */
  destroySoon(): void;
  destroy(): void;
}
