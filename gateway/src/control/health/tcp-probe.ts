import { connect, type Socket } from 'node:net';
import { type ProbeContext, type ProbeDone, ProbeRun, type ProbeTarget } from './probe.ts';
import { endWithError, readableMs } from './probe-reason.ts';

/** How long a backend that was connected to has to close its side before it is reset. */
const LINGER_MS = 250;

/** Opens a connection and closes it again, without TLS: whether something accepts is all it asks. */
export function startTcpProbe(context: ProbeContext, target: ProbeTarget, done: ProbeDone): () => void {
  const { backend, timeoutMs } = target;
  let socket: Socket | undefined;
  let connected = false;
  const connectedEnd = (): void => run.end('success', 'connected');
  const run = new ProbeRun(context.wheel, timeoutMs, done, {
    close: () => socket?.destroy(),
    timeUp: () =>
      connected ? connectedEnd() : run.end('timeout', `no connection within ${readableMs(timeoutMs)}`),
  });
  try {
    socket = connect({ host: backend.host, port: backend.port, lookup: context.lookup });
  } catch (error) {
    endWithError(run, error);
    return () => run.abort();
  }
  // a reset while closing is no failure; the listener also keeps a late error from ending the process
  socket.on('error', (error) => (connected ? connectedEnd() : endWithError(run, error)));
  socket.on('close', () =>
    connected ? connectedEnd() : run.end('failure', 'connection closed before it was open'),
  );
  socket.on('connect', () => {
    connected = true;
    // FIN, then what the backend says is read until its FIN: closing on unread bytes would be a reset
    socket?.end();
    socket?.resume();
    run.deadline(LINGER_MS);
  });
  return () => run.abort();
}
