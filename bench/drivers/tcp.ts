// `node tcp.ts PORT CONNECTIONS SECONDS`: reads streams without end, and counts MiB.
import { connect } from 'node:net';
import { driverArguments, printAfter, Tally } from './tally.ts';

const MIB = 1024 * 1024;

const { port, connections, seconds } = driverArguments(process.argv);
const tally = new Tally();
// what is read is not looked at
const buffer = Buffer.allocUnsafe(256 * 1024);
for (let i = 0; i < connections; i++) {
  const callback = (length: number): boolean => {
    tally.requests += length / MIB;
    return true;
  };
  const socket = connect({ host: '127.0.0.1', port, onread: { buffer, callback } });
  socket.on('error', () => {
    tally.socketErrors += 1;
  });
  socket.on('end', () => {
    tally.socketErrors += 1;
  });
}
printAfter(seconds, tally);
