import type { Socket } from 'node:net';
import type { Random } from '../fuzz/random.ts';

/** Longest that a peer in a fuzz test lasts, whatever it waits for. */
const LIFE_MS = 100;

/**
 * Writes `bytes` in pieces, some at once and some in later turns of the event loop, and ends the connection somewhere: in
 * good order, by closing it, by a reset, in the middle of the bytes or after them, or when the other side has said something.
 * @param transport the socket beneath a secure one
 */
export function deliver(socket: Socket, bytes: Buffer, random: Random, transport = socket): void {
  const stopsAt = random.oneIn(3) ? random.below(bytes.length) : bytes.length;
  const pieces = random.oneIn(2) ? 1 : 1 + random.below(8);
  const size = Math.max(1, Math.ceil(stopsAt / pieces));
  const patience = setTimeout(() => {
    socket.destroy();
    transport.destroy();
  }, LIFE_MS);
  socket.on('error', () => {});
  socket.on('close', () => clearTimeout(patience));
  let at = 0;
  const step = (): void => {
    if (socket.destroyed) return;
    if (at >= stopsAt) {
      leave(socket, transport, random);
      return;
    }
    socket.write(bytes.subarray(at, Math.min(stopsAt, at + size)));
    at += size;
    if (random.oneIn(2)) step();
    else setImmediate(step);
  };
  step();
}

/**
 * Not where FIN is on its way, nor beneath TLS: then node:net may be unable to reset its handle, and does not close it
 * either, which keeps the process for ever (26.10).
 * @param transport the socket beneath a secure one
 */
function reset(socket: Socket, transport: Socket): void {
  if (socket !== transport || socket.writableEnded) transport.destroy();
  else transport.resetAndDestroy();
}

function leave(socket: Socket, transport: Socket, random: Random): void {
  const act = random.pick([
    () => socket.end(),
    () => socket.destroy(),
    () => reset(socket, transport),
    () => socket.destroySoon(),
  ]);
  const when = random.below(4);
  if (when < 2) act();
  else if (when === 2) setImmediate(act);
  // or the time is over
  else socket.once('data', act);
  socket.resume();
}
