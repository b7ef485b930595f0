/** Why an address cannot be listened on and what to do about it, for people; any other error's own message. */
export function listenProblem(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number };
  const where = `${address?.includes(':') ? `[${address}]` : address}:${port}`;
  if (code === 'EADDRINUSE')
    return `${where} is in use: end what listens there, or set another address under listeners`;
  if (code === 'EACCES')
    return `${where} may not be listened on: ports below 1024 need privileges; choose another under listeners`;
  if (code === 'EADDRNOTAVAIL') return `${where} is not an address of this machine; check listeners`;
  return error.message;
}
