import { createHash } from 'node:crypto';
import type { Random } from '../../time.ts';

const KEY_BYTES = 16;
/** RFC 6455 §1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** A Sec-WebSocket-Key: it shows that an answer is to this handshake, and keeps no secret. */
export function webSocketKey(random: Random): string {
  const bytes = Buffer.allocUnsafe(KEY_BYTES);
  for (let i = 0; i < KEY_BYTES; i++) bytes[i] = Math.floor(random() * 256);
  return bytes.toString('base64');
}

/** The Sec-WebSocket-Accept that answers `key`. */
export function webSocketAccept(key: string): string {
  return createHash('sha1')
    .update(key + GUID, 'latin1')
    .digest('base64');
}
