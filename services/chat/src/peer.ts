import type { WebSocket } from 'ws';
import { Allowance } from './allowance.ts';
import type { Member, Room } from './room.ts';

interface PeerLimits {
  /** Of a message's text, in UTF-16 units. */
  readonly maxTextLength: number;
  /** A peer that lets this much pile up unread is cut off, so that it cannot eat the memory of all. */
  readonly maxBufferedBytes: number;
  /** Messages that may come at once, and how many a second after that. */
  readonly maxBurst: number;
  readonly messagesPerSecond: number;
}

export interface Seat {
  readonly name: string;
  readonly room: Room;
  readonly instance: string;
  readonly limits: PeerLimits;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Puts a connected socket into a room until it closes: welcome with history first, then events both ways. */
export function seat(socket: WebSocket, { name, room, instance, limits, now }: Seat): void {
  const send = (text: string) => {
    if (socket.bufferedAmount > limits.maxBufferedBytes) socket.terminate();
    else if (socket.readyState === socket.OPEN) socket.send(text);
  };
  const refuse = (message: string) => send(JSON.stringify({ type: 'error', message }));
  const allowance = new Allowance(limits.maxBurst, limits.messagesPerSecond, now());
  const member: Member = { name, send };
  room.join(member, now());
  send(
    JSON.stringify({
      type: 'welcome',
      instance,
      room: room.name,
      you: name,
      members: room.names,
      history: room.history,
    }),
  );
  socket.on('message', (data, isBinary) => {
    const said = readSaid(isBinary ? '' : data.toString(), limits.maxTextLength);
    if (said.kind === 'bad') refuse(said.message);
    else if (!allowance.take(now())) refuse(`more than ${limits.messagesPerSecond} messages a second`);
    else room.say(name, said.text, now());
  });
  socket.on('close', () => room.leave(member, now()));
  // ws closes the connection itself after any error (message too big, bad frame); unheard it would end the process
  socket.on('error', () => undefined);
}

type Said =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'bad'; readonly message: string };

/** Reads what a client sent: `{"type":"say","text":"…"}`. */
function readSaid(json: string, maxTextLength: number): Said {
  const bad = (message: string): Said => ({ kind: 'bad', message });
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return bad('not JSON; send {"type":"say","text":"…"}');
  }
  if (typeof value !== 'object' || value === null || !('type' in value) || value.type !== 'say') {
    return bad('unknown type; send {"type":"say","text":"…"}');
  }
  if (!('text' in value) || typeof value.text !== 'string' || value.text.trim() === '')
    return bad('text is missing');
  if (value.text.length > maxTextLength) return bad(`text is longer than ${maxTextLength} characters`);
  return { kind: 'text', text: value.text };
}
