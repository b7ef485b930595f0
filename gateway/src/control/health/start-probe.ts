import { startGrpcProbe } from './grpc-probe.ts';
import { startHttpProbe } from './http-probe.ts';
import type { StartProbe } from './probe.ts';
import { startTcpProbe } from './tcp-probe.ts';

/** Starts the kind of probe that the plan names. */
export const startProbe: StartProbe = (context, target, done) => {
  const { probe } = target;
  switch (probe.type) {
    case 'http':
      return startHttpProbe(context, target, probe, done);
    case 'grpc':
      return startGrpcProbe(context, target, probe, done);
    case 'tcp':
      return startTcpProbe(context, target, done);
  }
};
