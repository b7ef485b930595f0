import type { CheckContext } from './check-context.ts';
import type { SourcePath } from './source-node.ts';

/** A name that two certificates of one listener are for: only the first is ever shown. */
export function checkCertificateNames(
  context: CheckContext,
  base: SourcePath,
  certificates: readonly (readonly string[] | undefined)[],
): void {
  const owners = new Map<string, number>();
  for (const [index, names] of certificates.entries()) {
    const twice: string[] = [];
    let owner = 0;
    for (const name of names ?? []) {
      const other = owners.get(name);
      if (other === undefined) owners.set(name, index);
      else {
        twice.push(name);
        owner = other;
      }
    }
    if (twice.length === 0) continue;
    const line = context.lineOf([...base, owner, 'cert']);
    const shown = twice.length > 3 ? `${twice.slice(0, 3).join(', ')}, …` : twice.join(', ');
    const verb = twice.length === 1 ? 'has' : 'have';
    context.warning(
      [...base, index, 'cert'],
      `cert: ${shown} ${verb} a certificate on line ${line} already, which is shown instead`,
    );
  }
}
