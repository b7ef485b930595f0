import { createSocket } from 'node:dgram';
import { connect, type Socket } from 'node:net';
import { type OpenWebSocket, openWebSocket } from './drivers/open-websocket.ts';

/**
 * Asks once what the case asks again and again, and returns the port of the backend that answered. Rejects on a wrong answer, and on none within `withinMs`.
 */
export async function rawAnswer(
  protocol: 'websocket' | 'tcp' | 'udp',
  port: number,
  withinMs: number,
): Promise<string> {
  switch (protocol) {
    case 'websocket':
      return echoed(await openWebSocket(port), withinMs);
    case 'tcp':
      return firstLine(port, withinMs);
    case 'udp':
      return who(port, withinMs);
  }
}

/** Sends a masked message, as RFC 6455 §5.7 has it, and wants it back. */
function echoed({ socket, backend }: OpenWebSocket, withinMs: number): Promise<string> {
  const masked = Buffer.from('818537fa213d7f9f4d5158', 'hex');
  return bounded(
    socket,
    withinMs,
    (text) => {
      if (text.length < 7) return undefined;
      if (text !== '\x81\x05Hello') throw new Error('the message came back changed');
      return backend;
    },
    () => socket.write(masked),
  );
}

function firstLine(port: number, withinMs: number): Promise<string> {
  const line = (text: string): string | undefined => /^(\d+)\n/.exec(text)?.[1];
  return bounded(connect(port, '127.0.0.1'), withinMs, line, () => {});
}

/** @param read the result, from all text so far; undefined while more is needed; throws on a wrong answer */
function bounded(
  socket: Socket,
  withinMs: number,
  read: (text: string) => string | undefined,
  begin: () => void,
): Promise<string> {
  return new Promise<string>((resolve, reject) => {
    let text = '';
    socket.setTimeout(withinMs, () => socket.destroy(new Error(`no answer within ${withinMs} ms`)));
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('closed without an answer')));
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      try {
        const result = read(text);
        if (result !== undefined) resolve(result);
      } catch (error) {
        reject(error);
      }
    });
    begin();
  }).finally(() => socket.destroy());
}

function who(port: number, withinMs: number): Promise<string> {
  const socket = createSocket('udp4');
  return new Promise<string>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`no answer within ${withinMs} ms`)), withinMs);
    socket.on('error', reject);
    socket.on('message', (bytes) => resolve(bytes.toString('latin1')));
    socket.on('close', () => clearTimeout(late));
    socket.connect(port, '127.0.0.1', () => socket.send('who'));
  }).finally(() => socket.close());
}
