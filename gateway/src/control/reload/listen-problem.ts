/**
 * Why an address cannot be listened on and what to do about it, for people; any other error's own message.
 * @param setting where the config names the address
 */
export function listenProblem(error: unknown, setting = 'listeners'): string {
  if (!(error instanceof Error)) return String(error);
  const { code, address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number };
  const where = `${address?.includes(':') ? `[${address}]` : address}:${port}`;
  if (code === 'EADDRINUSE')
    return `${where} is in use: end what listens there, or set another address under ${setting}`;
  if (code === 'EACCES')
    return `${where} may not be listened on: ports below 1024 need privileges; choose another under ${setting}`;
  if (code === 'EADDRNOTAVAIL') return `${where} is not an address of this machine; check ${setting}`;
  return error.message;
}
