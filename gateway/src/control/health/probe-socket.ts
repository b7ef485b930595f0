import { connect, isIP, isIPv6, type Socket } from 'node:net';
import { checkServerIdentity, connect as connectTls, TLSSocket } from 'node:tls';
import type { BackendPlan } from '../../data/plan.ts';
import type { ProbeContext, ProbeTarget } from './probe.ts';

/** Told of what becomes of a socket. */
export interface SocketHooks {
  /** It is connected, as far as TCP is concerned, or with TLS too: the backend may be asked. */
  reached(what: 'handshake' | 'answer'): void;
  failed(error: unknown): void;
}

/** Connects to the backend, with TLS where live traffic uses it. @throws Error for authorities that cannot be parsed */
export function probeSocket(context: ProbeContext, target: ProbeTarget, hooks: SocketHooks): Socket {
  const { backend } = target;
  const options = { host: backend.host, port: backend.port, lookup: context.lookup };
  const secure = isSecure(backend);
  const socket = secure ? connectTls({ ...options, ...tlsOptions(context, target) }) : connect(options);
  // who uses it listens later, and stops when it is done; an error may come before and after that
  socket.on('error', (error) => hooks.failed(error));
  socket.on('connect', () => hooks.reached(secure ? 'handshake' : 'answer'));
  if (secure) socket.on('secureConnect', () => hooks.reached('answer'));
  return socket;
}

/** As live traffic does it (data/agent.ts), but each time with a full handshake: a resumed one shows no certificate. */
function tlsOptions(context: ProbeContext, { backend, tls }: ProbeTarget) {
  const name = tls.serverName ?? backend.host;
  return {
    ALPNProtocols: [speaksHttp2(backend) ? 'h2' : 'http/1.1'],
    rejectUnauthorized: tls.verify,
    secureContext: context.secureContext(tls),
    // SNI takes no IP addresses (RFC 6066 §3)
    ...(isIP(name) === 0 ? { servername: name } : {}),
    checkServerIdentity: (_host: string, certificate: Parameters<typeof checkServerIdentity>[1]) =>
      checkServerIdentity(name, certificate),
  };
}

function isSecure({ protocol }: BackendPlan): boolean {
  return protocol === 'https' || protocol === 'h2';
}

export function speaksHttp2({ protocol }: BackendPlan): boolean {
  return protocol === 'h2' || protocol === 'h2c';
}

/** Whether a backend with TLS has agreed to speak HTTP/2; one without is taken at its word. */
export function agreedToHttp2(socket: Socket): boolean {
  return !(socket instanceof TLSSocket) || socket.alpnProtocol === 'h2';
}

/** RFC 9110 §7.2: the port is left out when it is the scheme's own. */
export function authorityOf(backend: BackendPlan): string {
  const { host, port } = backend;
  const name = isIPv6(host) ? `[${host}]` : host;
  return port === (isSecure(backend) ? 443 : 80) ? name : `${name}:${port}`;
}

export function schemeOf(backend: BackendPlan): 'http' | 'https' {
  return isSecure(backend) ? 'https' : 'http';
}
