import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { WebSocketServer } from 'ws';
import type { Service, ServiceOptions } from '../../shared/src/service.ts';
import { buildService } from '../../shared/src/service.ts';
import { Heartbeat } from './heartbeat.ts';
import { seat } from './peer.ts';
import { Rooms } from './rooms.ts';
import { judgeUpgrade, readUpgrade, refuseUpgrade, wantsWebSocket } from './upgrade.ts';

export interface ChatOptions extends ServiceOptions {
  readonly pingIntervalMs: number;
}

const LIMITS = {
  maxHistory: 50,
  maxRooms: 1_000,
  maxTextLength: 2_000,
  maxBufferedBytes: 1024 * 1024,
  maxBurst: 10,
  messagesPerSecond: 5,
};
const SOCKETS = {
  noServer: true,
  /** 2000 characters of JSON with escapes, and some; ws answers more with close code 1009. */
  maxPayload: 16 * 1024,
  /** Milliseconds a peer has to answer our close frame, so that a dead one does not hold up the shutdown. */
  closeTimeout: 2_000,
};
/** RFC 6455 §7.4.1: the server is going down. */
const GOING_AWAY = 1001;

/** The chat service: WebSocket at /ws/ROOM?name=…, its rooms at GET /rooms. */
export function buildChatApp(options: ChatOptions): FastifyInstance {
  const service = buildService('chat', options, { shouldUpgradeCallback: wantsWebSocket });
  const { app, instanceName } = service;
  const rooms = new Rooms(LIMITS);
  app.get('/', () => ({
    service: 'chat',
    instance: instanceName(),
    try: ['rooms', 'ws/lobby?name=you', 'knobs', 'health'],
  }));
  app.get('/rooms', () => ({ instance: instanceName(), rooms: rooms.list() }));
  const onlyUpgrades = (_request: unknown, reply: FastifyReply) => {
    const message = 'this path speaks WebSocket: ask with Upgrade: websocket';
    return reply
      .code(426)
      .header('upgrade', 'websocket')
      .header('connection', 'upgrade')
      .send({ statusCode: 426, message });
  };
  app.get('/ws', onlyUpgrades);
  app.get('/ws/:room', onlyUpgrades);
  addSockets(service, rooms, options);
  return app;
}

function addSockets(service: Service, rooms: Rooms, options: ChatOptions): void {
  const { app, knobs, instanceName } = service;
  const server = new WebSocketServer(SOCKETS);
  const heartbeat = new Heartbeat();
  const timer = setInterval(() => heartbeat.beat(), options.pingIntervalMs);
  server.on('headers', (headers) => headers.push(`x-instance: ${instanceName()}`));

  const accept = async (request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    const decision = await judgeUpgrade(knobs, socket);
    if (decision === 'done') return;
    if (decision !== 'go')
      return refuseUpgrade(socket, decision, 'the failRate knob asked for this', instanceName());
    const read = readUpgrade(request.url ?? '/');
    if (read.kind === 'refuse') return refuseUpgrade(socket, read.status, read.message, instanceName());
    const room = rooms.open(read.request.room);
    if (room === undefined) return refuseUpgrade(socket, 503, 'too many rooms', instanceName());
    server.handleUpgrade(request, socket, head, (peer) => {
      heartbeat.watch(peer);
      seat(peer, {
        name: read.request.name,
        room,
        instance: instanceName(),
        limits: LIMITS,
        now: options.now,
      });
    });
  };
  app.server.on('upgrade', (request, socket, head) => {
    // a client that resets while it waits is no reason to end the process
    socket.on('error', () => socket.destroy());
    accept(request, socket, head).catch(() => socket.destroy());
  });
  app.addHook('preClose', (done) => {
    clearInterval(timer);
    for (const peer of server.clients) peer.close(GOING_AWAY, 'this instance is going down');
    done();
  });
}
