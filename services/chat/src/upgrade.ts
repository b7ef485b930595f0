import type { IncomingMessage } from 'node:http';
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { KnobPanel } from '../../shared/src/knobs.ts';

/** Who wants to join what. */
interface JoinRequest {
  readonly room: string;
  readonly name: string;
}

export type UpgradeVerdict =
  | { readonly kind: 'join'; readonly request: JoinRequest }
  | { readonly kind: 'refuse'; readonly status: number; readonly message: string };

/**
 * Reads the target of an upgrade request: `/ws/ROOM?name=…`. The room is in the path so that a gateway can bring everybody
 * in it to one instance by a hash over the path; `/ws?room=ROOM&name=…` is understood too.
 */
export function readUpgrade(target: string): UpgradeVerdict {
  const url = URL.parse(target, 'http://chat.invalid');
  const path = /^\/ws(?:\/([^/]*))?$/.exec(url?.pathname ?? '');
  if (url === null || path === null) return refuse(404, 'WebSockets are at /ws/ROOM?name=…');
  const room = path[1] ?? url.searchParams.get('room') ?? '';
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(room)) return refuse(400, 'room must be 1 to 64 of A-Z a-z 0-9 _ -');
  const name = (url.searchParams.get('name') ?? '').trim();
  // \p{C}: control, format and unassigned characters, which would let one name pass for another
  if (!/^[^\p{C}]{1,32}$/u.test(name)) return refuse(400, 'name must be 1 to 32 printable characters');
  return { kind: 'join', request: { room, name } };
}

function refuse(status: number, message: string): UpgradeVerdict {
  return { kind: 'refuse', status, message };
}

/** Answers an upgrade request in plain HTTP and closes: there is no ServerResponse for one. */
export function refuseUpgrade(socket: Duplex, status: number, message: string, instance: string): void {
  const body = JSON.stringify({ statusCode: status, message });
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nx-instance: ${instance}\r\nconnection: close\r\n` +
      `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

/**
 * Applies the knobs to an upgrade, which Fastify's hooks never see.
 * Resolves to 'go', 'done' (held or gone), or the status to refuse it with.
 */
export async function judgeUpgrade(knobs: KnobPanel, socket: Duplex): Promise<'go' | 'done' | number> {
  const verdict = knobs.judge();
  if (verdict.kind === 'hang') {
    knobs.hold(socket);
    return 'done';
  }
  if (!(await knobs.wait(verdict.delayMs, socket))) return 'done';
  return verdict.kind === 'pass' ? 'go' : verdict.status;
}

/** True for a WebSocket handshake; `Upgrade: h2c` of curl --http2 is to be ignored and answered as HTTP/1.1. */
export function wantsWebSocket(request: Pick<IncomingMessage, 'headers'>): boolean {
  return request.headers.upgrade?.toLowerCase() === 'websocket';
}
