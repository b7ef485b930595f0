import type { Listener } from './listener.ts';

/**
 * Opens new listeners beside those that are going. Where one of these holds the port on another address (0.0.0.0 and then
 * 127.0.0.1), the system lets nobody else listen there: it gives the port up first.
 * @param check called when all listen; may throw
 * @throws the system's error, e.g. EADDRINUSE, or what `check` throws; then none of the new ones listens, and the old ones do
 */
export async function listenInstead(
  fresh: readonly Listener[],
  going: readonly Listener[],
  check: () => void,
): Promise<void> {
  const stopped = new Set<Listener>();
  try {
    for (const listener of fresh) await listenOver(listener, going, stopped);
    check();
  } catch (error) {
    for (const listener of fresh) listener.destroy();
    await listenAgain(stopped, error);
    throw error;
  }
}

async function listenOver(
  listener: Listener,
  going: readonly Listener[],
  stopped: Set<Listener>,
): Promise<void> {
  try {
    await listener.listen();
  } catch (error) {
    const { port } = listener.plan;
    const inTheWay = going.filter(
      (other) => other.plan.port === port && isUdp(other) === isUdp(listener) && !stopped.has(other),
    );
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || inTheWay.length === 0) throw error;
    for (const other of inTheWay) {
      other.stopListening();
      stopped.add(other);
    }
    await listener.listen();
  }
}

/** One port is two, one of TCP and one of UDP. */
function isUdp({ plan }: Listener): boolean {
  return plan.kind === 'udp';
}

/** @throws Error when somebody else was quicker, which leaves that address without a listener */
async function listenAgain(stopped: ReadonlySet<Listener>, why: unknown): Promise<void> {
  for (const listener of stopped) {
    try {
      await listener.listen();
    } catch (error) {
      throw new AggregateError(
        [why, error],
        `${(why as Error).message}; and ${listener.address} could not be listened on again: ${(error as Error).message}`,
      );
    }
  }
}
