import type { ListenAddress } from './addresses.ts';
import { parseListenAddress } from './addresses.ts';
import type { CheckContext } from './check-context.ts';
import { checkListenerKeys } from './check-listener-keys.ts';
import { DEFAULTS } from './defaults.ts';
import { parseTrustedProxy } from './ip-network.ts';
import { checked } from './parsed.ts';
import { parseSize } from './quantities.ts';
import type { SourcePath } from './source-node.ts';

interface Bound extends ListenAddress {
  readonly transport: 'tcp' | 'udp';
  readonly text: string;
  readonly path: SourcePath;
  /** What it is when nobody wrote it; undefined when somebody did. */
  readonly preset: string | undefined;
}

/** What is wrong between listeners, and between the values of one. */
export function checkListeners(context: CheckContext): void {
  checkOverlaps(context);
  for (const [index, listener] of (context.draft.listeners ?? []).entries()) {
    if (listener !== undefined) checkListenerKeys(context, index, listener);
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

function checkOverlaps(context: CheckContext): void {
  const seen: Bound[] = [];
  for (const bound of boundAddresses(context)) {
    const other = seen.find((earlier) => overlaps(earlier, bound));
    if (other === undefined) {
      seen.push(bound);
      continue;
    }
    // Said at what somebody wrote.
    const [said, taken] = bound.preset === undefined ? [bound, other] : [other, bound];
    const what = said.host === taken.host ? 'is' : `overlaps ${taken.text}, which is`;
    const by = taken.preset ?? `on line ${context.lineOf(taken.path)}`;
    context.error(said.path, `${said.text} ${what} taken ${by}`);
  }
}

/** Every address this config binds: its listeners, or the default one, and the admin API. */
export function boundAddresses(context: CheckContext): readonly Bound[] {
  const { listeners, admin } = context.draft;
  const written = context.entriesOf([]);
  const bound: Bound[] = [];
  const add = (text: string, path: SourcePath, preset?: string, transport: Bound['transport'] = 'tcp') =>
    bound.push({ ...checked(parseListenAddress(text)), transport, text, path, preset });
  for (const [index, listener] of (listeners ?? []).entries()) {
    if (listener?.address === undefined) continue;
    const transport = listener.protocol === 'udp' ? 'udp' : 'tcp';
    add(listener.address, ['listeners', index, 'address'], undefined, transport);
  }
  if (!written.has('listeners'))
    add(DEFAULTS.listener.address, [], 'by the listener that is there by default');
  if (!written.has('admin')) {
    add(
      DEFAULTS.admin.address,
      [],
      'by the admin API, as admin is left out; give it another address, or admin: false',
    );
  } else if (admin && !context.isBroken(['admin'])) {
    add(admin.address ?? DEFAULTS.admin.address, ['admin', 'address']);
  }
  return bound;
}

/** Linux refuses 127.0.0.1:80 when 0.0.0.0:80 is taken, and `::` takes IPv4 too. */
function overlaps(a: Bound, b: Bound): boolean {
  if (a.port !== b.port || a.port === 0 || a.transport !== b.transport) return false;
  return a.host === b.host || covers(a.host, b.host) || covers(b.host, a.host);
}

function covers(wide: string, narrow: string): boolean {
  return wide === '::' || (wide === '0.0.0.0' && !narrow.includes(':'));
}
