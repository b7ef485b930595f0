import type { Socket } from 'node:dgram';

/**
 * The part of a socket's handle that Node itself sends through. Not documented: see {@link DirectSends} for how it is made
 * sure of.
 */
export interface SendHandle {
  /** Length + 1 when the kernel took the datagram, 0 when it goes on in the background, a negative libuv error number. */
  send(request: object, list: readonly Uint8Array[], count: number, told: boolean): number;
  send(
    request: object,
    list: readonly Uint8Array[],
    count: number,
    port: number,
    ip: string,
    told: boolean,
  ): number;
}

/** What a send that goes on in the background is kept by. */
export interface SendRequest {
  list?: readonly Uint8Array[];
}

/**
 * Whether datagrams may be sent through the handles of their sockets. The documented way makes two closures, a request and
 * (to hear of errors) a tick for each, which cost more than the kernel's own work.
 *
 * As with {@link DirectWrites}, nothing is called on trust: the first send of each kind goes the documented way and is
 * watched, and what it makes its request of is what later ones are made of.
 */
export class DirectSends {
  /** Makes requests; undefined until a send of that kind has been seen to be done as expected. */
  connected: (new () => SendRequest) | undefined;
  unconnected: (new () => SendRequest) | undefined;
  #watchedConnected = false;
  #watchedUnconnected = false;

  /** The handle of `socket`, when it looks like the one we know. */
  handleOf(socket: Socket): SendHandle | undefined {
    const [symbol] = Object.getOwnPropertySymbols(socket).filter(
      ({ description }) => description === 'state symbol',
    );
    if (symbol === undefined) return undefined;
    const state = (socket as unknown as Record<symbol, { readonly handle?: Partial<SendHandle> | null }>)[
      symbol
    ];
    const handle = state?.handle;
    return typeof handle?.send === 'function' ? (handle as SendHandle) : undefined;
  }

  /** Runs `send`, which sends `bytes` on a connected socket the documented way, and notes how Node does it. */
  watchConnected(handle: SendHandle, bytes: Buffer, send: () => void): void {
    if (this.#watchedConnected) {
      send();
      return;
    }
    this.#watchedConnected = true;
    watch(handle, send, (request, [list, count, told, ...rest], result) => {
      const known = isList(list, count, bytes) && typeof told === 'boolean' && rest.length === 0;
      if (known) this.connected = requestMaker(request, result);
    });
  }

  /** The same of a socket that is not connected. */
  watchUnconnected(
    handle: SendHandle,
    bytes: Buffer,
    to: { readonly port: number; readonly ip: string },
    send: () => void,
  ): void {
    if (this.#watchedUnconnected) {
      send();
      return;
    }
    this.#watchedUnconnected = true;
    watch(handle, send, (request, [list, count, port, ip, told, ...rest], result) => {
      const known = isList(list, count, bytes) && port === to.port && ip === to.ip;
      if (known && typeof told === 'boolean' && rest.length === 0)
        this.unconnected = requestMaker(request, result);
    });
  }
}

function watch(
  handle: SendHandle,
  send: () => void,
  seen: (request: unknown, rest: readonly unknown[], result: unknown) => void,
): void {
  const own = Object.hasOwn(handle, 'send');
  const original = handle.send as (request: unknown, ...rest: unknown[]) => number;
  handle.send = (request: unknown, ...rest: unknown[]) => {
    const result = original.call(handle, request, ...rest);
    seen(request, rest, result);
    return result;
  };
  send();
  if (own) handle.send = original as SendHandle['send'];
  else delete (handle as Partial<SendHandle>).send;
}

function isList(list: unknown, count: unknown, bytes: Buffer): boolean {
  return Array.isArray(list) && list.length === 1 && list[0] === bytes && count === 1;
}

function requestMaker(request: unknown, result: unknown): (new () => SendRequest) | undefined {
  if (typeof request !== 'object' || request === null || typeof result !== 'number') return undefined;
  const maker = request.constructor;
  return maker.name === 'SendWrap' ? (maker as new () => SendRequest) : undefined;
}
