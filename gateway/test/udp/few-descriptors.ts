import { setTimeout as delay } from 'node:timers/promises';
import { createGateway } from '../../src/gateway.ts';
import { udpPlan } from './udp-stage.ts';

// `node few-descriptors.ts BACKEND_PORT`: prints its port, then says when it had no socket for a client. Ends with stdin.

const gateway = await createGateway(udpPlan([Number(process.argv[2])]));
const { data } = gateway;
process.stdin.resume().on('end', () => data.destroy());
process.stdout.write(`${data.listeners[0]?.port}\n`);
while (!data.counters.byCode.has('out_of_sockets')) await delay(5);
const [backend] = data.services[0]?.backends ?? [];
// which is no fault of the backend's
const failures = [...(backend?.counters.byKind.keys() ?? [])].filter((kind) => !kind.endsWith('200'));
process.stdout.write(`${['out_of_sockets', ...failures].join(' ')}\n`);
