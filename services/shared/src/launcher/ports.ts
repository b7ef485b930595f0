import { createServer } from 'node:net';
import type { PortNeed } from './demo-map.ts';

/** One line for each port that cannot be listened on, in the order of the needs; empty when all are free. */
export async function portProblems(needs: readonly PortNeed[]): Promise<string[]> {
  const codes = await Promise.all(needs.map(({ host, port }) => listenProblem(host, port)));
  return needs.flatMap(({ host, port, who, variable }, index) => {
    const code = codes[index];
    if (code === undefined) return [];
    if (code === 'EADDRINUSE')
      return [`port ${port} is in use: it is for ${who}; set ${variable} to another`];
    if (code === 'EACCES')
      return [`port ${port} needs privileges: it is for ${who}; set ${variable} to one above 1023`];
    return [`cannot listen on ${host}:${port} (${code}): it is for ${who}; see ${variable}`];
  });
}

/** Listens and closes again: the only test of a port that means what the real listener will meet. */
function listenProblem(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}
