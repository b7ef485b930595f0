import { createServer } from 'node:net';

/**
 * A port of 127.0.0.1 that is free, outside the range from which systems take the ports of outgoing connections.
 * @param below for one from which others follow: what is to be clear of that range too
 */
export async function freePort(below = 30_000): Promise<number> {
  for (;;) {
    const port = 12_000 + Math.floor(Math.random() * (below - 12_000));
    const server = createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '0.0.0.0', () => server.close(() => resolve(true)));
    });
    if (free) return port;
  }
}
