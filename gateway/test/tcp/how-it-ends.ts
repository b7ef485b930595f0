import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** How a connection ends: by the error's code, or `closed` in good order. What comes before that is not looked at. */
export async function howItEnds(socket: Socket): Promise<string> {
  let code = 'closed';
  socket.on('error', (error: NodeJS.ErrnoException) => {
    code = error.code ?? error.message;
  });
  socket.on('end', () => socket.destroy());
  socket.resume();
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
  return code;
}

/** How a new connection to `port` ends, of a client that says `first`. */
export function connectionEnds(port: number, first: string | Buffer = ''): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  if (first.length > 0) socket.write(first);
  return howItEnds(socket);
}

/** Leaves with a reset, as a client that closes both of its halves at once may do. */
export async function leave({ socket }: { readonly socket: Socket }): Promise<void> {
  const closed = once(socket, 'close');
  socket.resetAndDestroy();
  await closed;
}
