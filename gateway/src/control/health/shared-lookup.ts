import { lookup as systemLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';

type Waiting = Parameters<LookupFunction>[2];

/**
 * The system's look-up, asked once for all who want the same name at the same time: it runs on four threads that file
 * access needs too, and a name server that hangs must not take them all.
 */
export function sharedLookup(lookup: LookupFunction = systemLookup): LookupFunction {
  const underWay = new Map<string, Waiting[]>();
  return (host, options, callback) => {
    const key = `${host} ${options.family ?? 0} ${options.all === true} ${options.hints ?? 0}`;
    const waiting = underWay.get(key);
    if (waiting !== undefined) {
      waiting.push(callback);
      return;
    }
    const all = [callback];
    underWay.set(key, all);
    lookup(host, options, (...answer) => {
      underWay.delete(key);
      for (const each of all) each(...answer);
    });
  };
}
