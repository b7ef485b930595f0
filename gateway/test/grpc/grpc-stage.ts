import type { TestContext } from 'node:test';
import {
  type CallOptions,
  Client,
  credentials,
  Metadata,
  type ServiceError,
  type StatusObject,
} from '@grpc/grpc-js';
import type { ServicePlan } from '../../src/data/plan.ts';
import { HTTP2 } from '../http2-clients/http2-stage.ts';
import { type GatewayInTest, startGateway } from '../relay/gateway-in-test.ts';
import { plan, servicePlan } from '../support/plans.ts';
import type { PlanChanges } from '../support/stage.ts';
import { ECHO, type EchoServer } from './echo-service.ts';

/** A gateway for gRPC before `servers`; it ends with the test. */
export function grpcGateway(
  t: TestContext,
  servers: readonly Pick<EchoServer, 'plan'>[],
  service: Partial<ServicePlan> = {},
  changes: PlanChanges = {},
): Promise<GatewayInTest> {
  const services = [servicePlan([], { backends: servers.map((server) => server.plan), ...service })];
  return startGateway(t, plan([], { services, ...changes, listener: { http2: HTTP2, ...changes.listener } }));
}

export interface UnaryResult {
  readonly message: Buffer | undefined;
  readonly error: ServiceError | undefined;
  readonly metadata: Metadata | undefined;
  readonly status: StatusObject;
}

/** A client on @grpc/grpc-js with a connection of its own. It never retries. */
export class EchoClient {
  readonly client: Client;

  /** @param ca of the gateway's certificate; left out for HTTP/2 in the clear */
  constructor(t: TestContext, port: number, ca?: string) {
    const secure = ca === undefined ? credentials.createInsecure() : credentials.createSsl(Buffer.from(ca));
    // a name: grpc-js asks for what it connects to by SNI, which takes no addresses
    const host = ca === undefined ? '127.0.0.1' : 'localhost';
    this.client = new Client(`${host}:${port}`, secure, {
      'grpc.enable_retries': 0,
      'grpc.use_local_subchannel_pool': 1,
      'grpc.max_receive_message_length': -1,
      'grpc.max_send_message_length': -1,
    });

    t.after(() => this.client.close());
  }

  /** Resolves with what the call came to, whatever that is. */
  unary(message: Buffer, options: CallOptions = {}, metadata = new Metadata()): Promise<UnaryResult> {
    const { path, requestSerialize, responseDeserialize } = ECHO.unary;
    return new Promise((resolve) => {
      let answer: { error: ServiceError | null; message: Buffer | undefined } | undefined;
      let initial: Metadata | undefined;
      let status: StatusObject | undefined;
      const finish = (): void => {
        if (answer === undefined || status === undefined) return;
        const error = answer.error ?? undefined;
        resolve({ message: answer.message, error, metadata: initial, status });
      };
      const call = this.client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        message,
        metadata,
        options,
        (error, value) => {
          answer = { error, message: value };
          finish();
        },
      );
      call.on('metadata', (fields) => {
        initial = fields;
      });
      call.on('status', (ended) => {
        status = ended;
        finish();
      });
    });
  }
}
