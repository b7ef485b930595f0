// A process of its own: `node udp-echo.ts PORT…` sends every datagram back; `who` is answered with its port.
import { DirectSends } from '../../gateway/src/data/layer4/udp-direct-sends.ts';
import { UdpSocket } from '../../gateway/src/data/layer4/udp-socket.ts';

const BUFFER_BYTES = 4 * 1024 * 1024;

for (const port of process.argv.slice(2).map(Number)) {
  const who = Buffer.from(String(port));
  const socket = await UdpSocket.listen('127.0.0.1', port, BUFFER_BYTES, new DirectSends(), {
    onDatagram(bytes, from) {
      const asked = bytes.length === 3 && bytes.toString('latin1') === 'who';
      socket.sendTo(asked ? who : bytes, from.port, from.address);
    },
    // a client that has left
    onSocketError() {},
  });
}
