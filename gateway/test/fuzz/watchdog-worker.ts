import { writeSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import type { WatchedInput } from './watchdog.ts';

/** Runs beside the fuzzing thread, which cannot look after itself while it hangs. */
const { state, bytes, limitMs, processId } = workerData as WatchedInput;
const counter = new Int32Array(state);
let seen = -1;

setInterval(() => {
  const now = Atomics.load(counter, 0);
  if (now === seen) {
    const length = Atomics.load(counter, 1);
    const text = JSON.stringify(Buffer.from(bytes, 0, length).toString('latin1'));
    writeSync(2, `HANG: no progress for ${limitMs} ms on ${text}\n`);
    // our own process, which cannot be interrupted otherwise
    process.kill(processId, 'SIGKILL');
  }
  seen = now;
}, limitMs);
