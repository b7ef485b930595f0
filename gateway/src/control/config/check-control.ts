import { parseListenAddress } from './addresses.ts';
import type { CheckContext } from './check-context.ts';
import { checked } from './parsed.ts';

/** What is dangerous in `admin`. */
export function checkAdmin(context: CheckContext): void {
  const { admin } = context.draft;
  if (!admin || admin.address === undefined || context.isBroken(['admin'])) return;
  if (admin.token !== undefined || isLoopback(checked(parseListenAddress(admin.address)).host)) return;
  context.warning(
    ['admin', 'address'],
    `address: ${admin.address} is not loopback, so writes are refused until admin.token is set`,
  );
}

/** Whether a listener there is reached from this machine alone. */
export function isLoopback(host: string): boolean {
  return host === '::1' || host.startsWith('127.');
}
