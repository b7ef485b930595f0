import type { TestContext } from 'node:test';
import {
  type handleBidiStreamingCall,
  type handleClientStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  type MethodDefinition,
  Server,
  ServerCredentials,
  type ServerOptions,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { BackendPlan } from '../../src/data/plan.ts';
import type { Certificate } from '../agents/certificates.ts';
import { backendPlan } from '../support/plans.ts';

/** Messages are bytes as they are: what is in them is nobody's concern here. */
const asIs = (message: Buffer): Buffer => message;

function method(
  name: string,
  requestStream: boolean,
  responseStream: boolean,
): MethodDefinition<Buffer, Buffer> {
  return {
    path: `/test.Echo/${name}`,
    requestStream,
    responseStream,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  };
}

export const ECHO = {
  unary: method('Unary', false, false),
  serverStream: method('ServerStream', false, true),
  clientStream: method('ClientStream', true, false),
  bidi: method('Bidi', true, true),
};

export interface EchoHandlers {
  readonly unary?: handleUnaryCall<Buffer, Buffer>;
  readonly serverStream?: handleServerStreamingCall<Buffer, Buffer>;
  readonly clientStream?: handleClientStreamingCall<Buffer, Buffer>;
  readonly bidi?: handleBidiStreamingCall<Buffer, Buffer>;
}

export interface EchoServer {
  readonly port: number;
  readonly plan: BackendPlan;
}

/** Says what it is told: in one message, one by one, or all in one. */
const ECHOING: Required<EchoHandlers> = {
  unary: (call, done) => done(null, call.request),
  serverStream: (call) => {
    for (const byte of call.request) call.write(Buffer.of(byte));
    call.end();
  },
  clientStream: (call, done) => {
    const parts: Buffer[] = [];
    call.on('data', (part: Buffer) => parts.push(part));
    call.on('end', () => done(null, Buffer.concat(parts)));
  },
  bidi: (call) => {
    call.on('data', (part: Buffer) => call.write(part));
    call.on('end', () => call.end());
    call.on('error', () => {});
  },
};

/** A server on @grpc/grpc-js that ends with the test. */
export async function startEchoServer(
  t: TestContext,
  handlers: EchoHandlers = {},
  options: ServerOptions & { readonly certificate?: Certificate } = {},
): Promise<EchoServer> {
  const { certificate, ...rest } = options;
  const server = new Server({ 'grpc.max_receive_message_length': -1, ...rest });
  server.addService(ECHO, { ...ECHOING, ...handlers } as UntypedServiceImplementation);
  const credentials =
    certificate === undefined
      ? ServerCredentials.createInsecure()
      : ServerCredentials.createSsl(null, [
          { private_key: Buffer.from(certificate.key), cert_chain: Buffer.from(certificate.cert) },
        ]);
  const used = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', credentials, (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  t.after(() => server.forceShutdown());
  return {
    port: used,
    plan: backendPlan(used, { protocol: certificate === undefined ? 'h2c' : 'h2' }),
  };
}
