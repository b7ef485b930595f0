import type { ListenAddress } from './addresses.ts';
import { parseListenAddress } from './addresses.ts';
import type { CheckContext } from './check-context.ts';
import { DEFAULTS } from './defaults.ts';
import { parseTrustedProxy } from './ip-network.ts';
import { checked } from './parsed.ts';
import { parseSize } from './quantities.ts';
import type { SourcePath } from './source-node.ts';

interface Bound extends ListenAddress {
  readonly text: string;
  readonly path: SourcePath;
}

/** What is wrong between listeners, and between the values of one. */
export function checkListeners(context: CheckContext): void {
  const seen: Bound[] = [];
  for (const bound of boundAddresses(context)) {
    const other = seen.find((earlier) => overlaps(earlier, bound));
    if (other === undefined) {
      seen.push(bound);
      continue;
    }
    const what = other.host === bound.host ? 'is' : `overlaps ${other.text}, which is`;
    context.error(bound.path, `${bound.text} ${what} taken on line ${context.lineOf(other.path)}`);
  }
  for (const [index, listener] of (context.draft.listeners ?? []).entries()) {
    for (const [item, proxy] of (listener?.trustedProxies ?? []).entries()) {
      const blocks = proxy === undefined ? [] : checked(parseTrustedProxy(proxy));
      if (!blocks.some((block) => block.endsWith('/0'))) continue;
      context.warning(
        ['listeners', index, 'trustedProxies', item],
        'everybody is trusted: any client can forge its address',
      );
    }
    const { head = DEFAULTS.listener.limits.head, target = DEFAULTS.listener.limits.target } =
      listener?.limits ?? {};
    if (checked(parseSize(target)) <= checked(parseSize(head))) continue;
    context.errorAtKey(
      ['listeners', index, 'limits'],
      `limits: a target of ${target} does not fit into a head of ${head}`,
    );
  }
}

/** Every address this config binds: its listeners, or the default one, and the admin API. */
export function boundAddresses(context: CheckContext): readonly Bound[] {
  const { listeners, admin } = context.draft;
  const bound: Bound[] = [];
  const add = (text: string, path: SourcePath) =>
    bound.push({ ...checked(parseListenAddress(text)), text, path });
  for (const [index, listener] of (listeners ?? []).entries()) {
    if (listener?.address !== undefined) add(listener.address, ['listeners', index, 'address']);
  }
  if (!context.entriesOf([]).has('listeners')) add(DEFAULTS.listener.address, []);
  if (admin && !context.isBroken(['admin']))
    add(admin.address ?? DEFAULTS.admin.address, ['admin', 'address']);
  return bound;
}

/** Linux refuses 127.0.0.1:80 when 0.0.0.0:80 is taken, and `::` takes IPv4 too. */
function overlaps(a: ListenAddress, b: ListenAddress): boolean {
  if (a.port !== b.port || a.port === 0) return false;
  return a.host === b.host || covers(a.host, b.host) || covers(b.host, a.host);
}

function covers(wide: string, narrow: string): boolean {
  return wide === '::' || (wide === '0.0.0.0' && !narrow.includes(':'));
}
