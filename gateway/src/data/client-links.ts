/** One client's connection, whatever is spoken on it. */
export interface ClientLink {
  /** Takes no further request, and goes when those under way are answered. */
  close(): void;
  destroy(): void;
}

/** The connections of one listener, up to the last. */
export class ClientLinks<Link extends ClientLink> {
  readonly #links = new Set<Link>();
  #drain: PromiseWithResolvers<void> | undefined;

  get size(): number {
    return this.#links.size;
  }

  /** Whether they are being ended: then there are to be no new ones. */
  get draining(): boolean {
    return this.#drain !== undefined;
  }

  add(link: Link): void {
    this.#links.add(link);
  }

  /** It is gone. */
  delete(link: Link): void {
    this.#links.delete(link);
    if (this.#links.size === 0) this.#drain?.resolve();
  }

  /** Closes each; resolves when the last one is gone. */
  drain(): Promise<void> {
    if (this.#drain !== undefined) return this.#drain.promise;
    this.#drain = Promise.withResolvers();
    for (const link of [...this.#links]) link.close();
    if (this.#links.size === 0) this.#drain.resolve();
    return this.#drain.promise;
  }

  destroy(): void {
    for (const link of [...this.#links]) link.destroy();
  }
}
