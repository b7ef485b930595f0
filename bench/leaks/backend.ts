// A process of its own: `node backend.ts HTTP_PORT TCP_PORT UDP_PORT`: backends that answer upgrades in every way there is,
// an endless event stream, a TCP and a UDP echo.
import { createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { createServer } from 'node:http';
import { createServer as createTcpServer, type Socket } from 'node:net';

const [httpPort = 0, tcpPort = 0, udpPort = 0] = process.argv.slice(2).map(Number);
const WEBSOCKET_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

const http = createServer((request, response) => {
  if (request.url !== '/events') {
    response.end('ok');
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const timer = setInterval(() => response.write('data: now\n\n'), 100);
  response.on('error', () => {});
  response.on('close', () => clearInterval(timer));
});
http.on('upgrade', (request, stream) => {
  const socket = stream as Socket;
  socket.on('error', () => socket.destroy());
  switch (request.url) {
    case '/ws/silent':
      return;
    case '/ws/refused':
      socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno');
      return;
    case '/ws/reset':
      socket.resetAndDestroy();
      return;
    default:
      accept(socket, request.headers['sec-websocket-key'] ?? '');
  }
});

/** Switches protocols and echoes nothing: what is sent is read and forgotten. */
function accept(socket: Socket, key: string): void {
  const digest = createHash('sha1').update(`${key}${WEBSOCKET_GUID}`).digest('base64');
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${digest}\r\n\r\n`,
  );
  socket.resume();
  socket.on('end', () => socket.end());
}

const tcp = createTcpServer((socket) => {
  socket.on('error', () => socket.destroy());
  socket.pipe(socket);
});

const udp = createSocket('udp4');
udp.on('message', (bytes, { port, address }) => udp.send(bytes, port, address));

http.listen(httpPort, '127.0.0.1', () => {
  tcp.listen(tcpPort, '127.0.0.1', () => {
    udp.bind(udpPort, '127.0.0.1', () => process.stdout.write(`listening on ${httpPort}\n`));
  });
});
process.on('SIGTERM', () => process.exit(0));
