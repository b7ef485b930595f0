/** What every Buffer has and its types do not say: the decoder behind `toString('latin1')`, without the detour. */
interface Latin1Bytes {
  latin1Slice(start: number, end: number): string;
}

/** `bytes[start, end)` as text, one character a byte. */
export function latin1(bytes: Buffer, start: number, end: number): string {
  return (bytes as unknown as Latin1Bytes).latin1Slice(start, end);
}
