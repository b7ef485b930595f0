/**
 * Finds what was added for a host name: under the name itself, then under `*.` and what follows its first label (RFC 6125
 * §6.4.3: a wildcard stands for one label).
 */
export class CertificateChoice<T> {
  readonly #byName = new Map<string, T>();

  /** The first that claims a name keeps it. */
  constructor(choices: Iterable<{ readonly names: readonly string[]; readonly value: T }>) {
    for (const { names, value } of choices) {
      for (const name of names) if (!this.#byName.has(name)) this.#byName.set(name, value);
    }
  }

  /** Undefined: nothing is for it. Case and a dot at the end do not matter. */
  find(serverName: string): T | undefined {
    const name = serverName.toLowerCase().replace(/\.$/, '');
    const exact = this.#byName.get(name);
    if (exact !== undefined) return exact;
    const dot = name.indexOf('.');
    return dot < 1 ? undefined : this.#byName.get(`*${name.slice(dot)}`);
  }
}
