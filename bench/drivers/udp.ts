// `node udp.ts PORT CLIENTS SECONDS`: each client sends the next datagram when the last one is back.
import { DirectSends } from '../../gateway/src/data/layer4/udp-direct-sends.ts';
import { UdpSocket } from '../../gateway/src/data/layer4/udp-socket.ts';
import { driverArguments, printAfter, Tally } from './tally.ts';

const DATAGRAM = Buffer.alloc(128, 'd');
/** A datagram that is not back by then is lost, and another takes its place. */
const LOST_MS = 500;

const { port, connections, seconds } = driverArguments(process.argv);
const tally = new Tally();
const sends = new DirectSends();

function startClient(): void {
  let sentMs = performance.now();
  const send = (nowMs: number): void => {
    sentMs = nowMs;
    socket.send(DATAGRAM);
  };
  const socket = UdpSocket.connect('127.0.0.1', port, sends, {
    onDatagram({ length }) {
      const nowMs = performance.now();
      tally.answered(nowMs - sentMs);
      if (length !== DATAGRAM.length) tally.badStatuses += 1;
      send(nowMs);
    },
    onSocketError() {
      tally.socketErrors += 1;
    },
  });
  send(sentMs);
  setInterval(() => {
    const nowMs = performance.now();
    if (nowMs - sentMs < LOST_MS) return;
    tally.socketErrors += 1;
    send(nowMs);
  }, LOST_MS);
}

for (let i = 0; i < connections; i++) startClient();
printAfter(seconds, tally);
