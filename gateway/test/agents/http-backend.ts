import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import * as https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { TestContext } from 'node:test';
import type { Certificate } from './certificates.ts';

export interface HttpBackend {
  readonly port: number;
  /** All connections there were. */
  readonly sockets: readonly Socket[];
  /** Ends at once, with all its connections. */
  stop(): Promise<void>;
}

export interface HttpBackendOptions {
  readonly host?: string;
  readonly port?: number;
  readonly certificate?: Certificate;
}

/** A backend on node:http (or node:https) that ends with the test. */
export async function startHttpBackend(
  t: TestContext,
  handle: RequestListener,
  { host = '127.0.0.1', port = 0, certificate }: HttpBackendOptions = {},
): Promise<HttpBackend> {
  const server = certificate === undefined ? createServer(handle) : https.createServer(certificate, handle);
  const sockets: Socket[] = [];
  server.on(certificate === undefined ? 'connection' : 'secureConnection', (socket: Socket) =>
    sockets.push(socket),
  );
  server.listen(port, host);
  await once(server, 'listening');
  const stop = async (): Promise<void> => {
    if (!server.listening) return;
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };
  t.after(stop);
  return { port: (server.address() as AddressInfo).port, sockets, stop };
}
