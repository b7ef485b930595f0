/** Frames as raw ends of a WebSocket send them, as latin1 text. */

export const ASK =
  'GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
export const SWITCH =
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n';

export const TEXT = 0x1;
export const BINARY = 0x2;
export const CLOSE = 0x8;
export const PING = 0x9;
export const PONG = 0xa;

export interface FrameOptions {
  readonly masked: boolean;
  readonly opcode?: number;
  readonly final?: boolean;
  /** The three bits that extensions give a meaning, in their place (0x70). */
  readonly reserved?: number;
}

const KEY = [0x12, 0xff, 0x00, 0x9a];

export function frame(payload: string, options: FrameOptions): string {
  const { masked, opcode = TEXT, final = true, reserved = 0 } = options;
  const first = String.fromCharCode((final ? 0x80 : 0) | reserved | opcode);
  const mask = masked ? 0x80 : 0;
  const { length } = payload;
  let second: string;
  if (length < 126) second = String.fromCharCode(mask | length);
  else if (length < 0x10000) second = String.fromCharCode(mask | 126, length >> 8, length & 0xff);
  else
    second = String.fromCharCode(
      mask | 127,
      ...[0, 0, 0, 0, (length >>> 24) & 0xff, (length >> 16) & 0xff, (length >> 8) & 0xff, length & 0xff],
    );
  if (!masked) return first + second + payload;
  const bytes = Buffer.from(payload, 'latin1');
  for (let at = 0; at < bytes.length; at++) bytes[at] = (bytes[at] ?? 0) ^ (KEY[at % 4] ?? 0);
  return first + second + String.fromCharCode(...KEY) + bytes.toString('latin1');
}

export const fromClient = (payload: string, options: Partial<FrameOptions> = {}): string =>
  frame(payload, { masked: true, ...options });

export const fromServer = (payload: string, options: Partial<FrameOptions> = {}): string =>
  frame(payload, { masked: false, ...options });

export const closePayload = (code: number): string => String.fromCharCode(code >> 8, code & 0xff);

export interface ReadFrame {
  readonly opcode: number;
  readonly masked: boolean;
  readonly payload: string;
}

/** The frames in `text`, payloads unmasked; an incomplete one at its end is left out. */
export function framesOf(text: string): readonly ReadFrame[] {
  const bytes = Buffer.from(text, 'latin1');
  const frames: ReadFrame[] = [];
  for (let at = 0; at + 2 <= bytes.length; ) {
    const first = bytes[at] ?? 0;
    const second = bytes[at + 1] ?? 0;
    const masked = second > 0x7f;
    let length = second & 0x7f;
    at += 2;
    if (length === 126) {
      length = bytes.readUInt16BE(at);
      at += 2;
    } else if (length === 127) {
      length = Number(bytes.readBigUInt64BE(at));
      at += 8;
    }
    const key = masked ? bytes.subarray(at, at + 4) : Buffer.alloc(4);
    if (masked) at += 4;
    if (at + length > bytes.length) break;
    const payload = Buffer.from(bytes.subarray(at, at + length));
    for (let i = 0; i < length; i++) payload[i] = (payload[i] ?? 0) ^ (key[i % 4] ?? 0);
    frames.push({ opcode: first & 0xf, masked, payload: payload.toString('latin1') });
    at += length;
  }
  return frames;
}

/** The code of a Close frame; 1005 for one without. */
export const codeOf = ({ payload }: ReadFrame): number =>
  payload.length < 2 ? 1005 : (payload.charCodeAt(0) << 8) | payload.charCodeAt(1);
