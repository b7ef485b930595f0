import { startHttpProbe } from './http-probe.ts';
import type { StartProbe } from './probe.ts';
import { startTcpProbe } from './tcp-probe.ts';

/** Starts the kind of probe that the plan names. */
export const startProbe: StartProbe = (context, target, done) =>
  target.probe.type !== 'http'
    ? startTcpProbe(context, target, done)
    : startHttpProbe(context, target, target.probe, done);
