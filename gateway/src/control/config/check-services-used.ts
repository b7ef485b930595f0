import type { CheckContext } from './check-context.ts';
import { show } from './parsed.ts';
import type { SourcePath } from './source-node.ts';
import { closest } from './suggest.ts';

interface Use {
  readonly path: SourcePath;
  /** Undefined: what is written there is no name. */
  readonly service: string | undefined;
}

/** Services that are named and not there, or there and never named. */
export function checkServicesUsed(context: CheckContext): void {
  const services = context.entriesOf(['services']);
  if (services.size === 0) return;
  const used = new Set<string>();
  let isComplete = context.draft.routes !== undefined || !context.entriesOf([]).has('routes');
  for (const { path, service } of usesOf(context)) {
    if (service === undefined) isComplete = false;
    else if (services.has(service)) used.add(service);
    else {
      isComplete = false;
      context.error(path, whyUnknown(service, [...services.keys()]));
    }
  }
  // A misspelled reference would make its service look unused.
  if (!isComplete) return;
  for (const [name, { keyAt }] of services) {
    if (!used.has(name)) context.problems.warning(keyAt, `no route or listener uses the service ${name}`);
  }
}

function usesOf(context: CheckContext): readonly Use[] {
  const { routes = [], listeners = [] } = context.draft;
  const uses: Use[] = routes.map((route, index) => ({
    path: ['routes', index, 'service'],
    service: route?.service,
  }));
  for (const [index, listener] of listeners.entries()) {
    const base: SourcePath = ['listeners', index];
    if (context.entriesOf(base).has('service'))
      uses.push({ path: [...base, 'service'], service: listener?.service });
    for (const name of context.entriesOf([...base, 'sni']).keys()) {
      const { sni } = listener ?? {};
      const service = sni !== undefined && Object.hasOwn(sni, name) ? sni[name] : undefined;
      uses.push({ path: [...base, 'sni', name], service });
    }
  }
  return uses;
}

function whyUnknown(name: string, known: readonly string[]): string {
  const guess = closest(name, known);
  if (guess !== undefined) return `there is no service ${show(name)}; did you mean ${guess}?`;
  const some = known.slice(0, 10).join(', ');
  return `there is no service ${show(name)}; there is ${some}${known.length > 10 ? ', …' : ''}`;
}
