import { RawBackend } from '../support/raw-backend.ts';

/** A port that nobody listens on. */
export async function closedPort(): Promise<number> {
  const backend = await RawBackend.start();
  const { port } = backend;
  await backend.stop();
  return port;
}
