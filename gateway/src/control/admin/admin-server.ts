import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { addressText } from '../../address-text.ts';
import type { AdminPlan } from '../control-plan.ts';
import type { Log } from '../log.ts';
import { addStatusPage } from '../status-page/add-status-page.ts';
import type { AdminDeps } from './admin-deps.ts';
import { type AllowedMethods, rememberMethods } from './allowed-methods.ts';
import { addBackendRoutes } from './backend-routes.ts';
import { answerClientError, answerExpectation } from './client-error.ts';
import { Connections } from './connections.ts';
import { problemOf } from './error-problem.ts';
import { type Caller, createGuard, type Guard } from './guard.ts';
import { addIndexRoute } from './index-route.ts';
import { addMetricsRoute } from './metrics-route.ts';
import { addOpenapi } from './openapi.ts';
import { addProbeRoutes } from './probe-routes.ts';
import {
  type AdminProblem,
  COMMON_HEADERS,
  PROBLEM_TYPE,
  ProblemError,
  problemBody,
  toJson,
} from './problem.ts';
import { addReloadRoute } from './reload-route.ts';
import { addStatusRoutes } from './status-routes.ts';

export type { AdminDeps } from './admin-deps.ts';

export interface AdminServer {
  /** Base URL, with the port really in use. */
  readonly url: string;
  readonly port: number;
  /** Ends idle connections at once and the others after their answers, or after five seconds. */
  close(): Promise<void>;
}

const MAX_CONNECTIONS = 100;

/** Starts the admin API. Rejects, with nothing left open, when the address cannot be listened on. */
export async function startAdmin(plan: AdminPlan, deps: AdminDeps): Promise<AdminServer> {
  const app = createApp(deps.log);
  const allowed = rememberMethods(app);
  app.setErrorHandler((error, _request, reply) => sendError(error, reply, deps.log));
  addGuard(app, createGuard(plan), allowed);
  await addOpenapi(app);
  const sendPage = deps.feed === undefined ? undefined : await addStatusPage(app, deps.feed);
  addIndexRoute(app, sendPage);
  addProbeRoutes(app, deps);
  if (deps.metrics !== undefined) addMetricsRoute(app, deps.metrics);
  addStatusRoutes(app, deps);
  addBackendRoutes(app, deps);
  addReloadRoute(app, deps);

  const connections = new Connections(app.server);
  app.server.maxConnections = MAX_CONNECTIONS;
  app.server.on('checkExpectation', answerExpectation);
  try {
    await app.listen({ host: plan.host, port: plan.port });
  } catch (error) {
    await app.close();
    throw error;
  }
  // out of file descriptors, say: no reason to stop the gateway
  app.server.on('error', (error) => deps.log('error', `admin: ${error.message}`));
  const address = app.server.address();
  const port = typeof address === 'object' && address !== null ? address.port : plan.port;
  let closed: Promise<void> | undefined;
  return {
    port,
    url: `http://${addressText(plan.host, port)}`,
    close: () => {
      if (closed === undefined) {
        connections.close();
        closed = app.close();
      }
      return closed;
    },
  };
}

function createApp(log: Log): FastifyInstance {
  const app = fastify({
    logger: false,
    bodyLimit: 16 * 1024,
    requestTimeout: 10_000,
    // silence; longer than any reload takes
    connectionTimeout: 60_000,
    // longer than metrics are usually scraped apart
    keepAliveTimeout: 75_000,
    return503OnClosing: false,
    http: { headersTimeout: 5_000, connectionsCheckingInterval: 1_000 },
    routerOptions: { maxParamLength: 512, querystringParser: parseQuery },
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, allowUnionTypes: true } },
    clientErrorHandler: answerClientError,
    frameworkErrors: (error, _request, reply) => sendError(error, reply, log),
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => {
    try {
      done(null, body === '' ? undefined : JSON.parse(String(body)));
    } catch (error) {
      const detail = `body: is not JSON: ${(error as Error).message}`;
      done(new ProblemError({ status: 400, detail, extra: { field: 'body' } }));
    }
  });
  // the schemas describe; what handlers answer is sent as it is
  app.setSerializerCompiler(() => toJson);
  app.setReplySerializer(toJson);
  return app;
}

/** `header` may be repeated; anything else that is repeated becomes an array, which no schema takes. */
function parseQuery(text: string): Record<string, string | string[]> {
  const query = new Map<string, string | string[]>();
  for (const [name, value] of new URLSearchParams(text)) {
    const before = query.get(name);
    if (before !== undefined) query.set(name, [before, value].flat());
    else query.set(name, name === 'header' ? [value] : value);
  }
  return Object.fromEntries(query);
}

/** Before any of a body is read: who may not, and what is not there. */
function addGuard(app: FastifyInstance, guard: Guard, allowed: AllowedMethods): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(COMMON_HEADERS);
    const caller = callerOf(request);
    const isWrite = !request.is404 && request.method !== 'GET' && request.method !== 'HEAD';
    const refused = guard.refuseReader(caller) ?? (isWrite ? guard.refuseWriter(caller) : undefined);
    // no reading on of a body that nobody wants
    if (refused !== undefined)
      throw new ProblemError({ ...refused, headers: { ...refused.headers, connection: 'close' } });
    if (request.is404) throw new ProblemError(notThere(request, allowed));
  });
}

function callerOf({ headers, raw }: FastifyRequest): Caller {
  return {
    // RFC 9112 §3.2.2: an absolute-form target says more than Host
    host: /^[a-z]+:\/\/([^/?#]*)/i.exec(raw.url ?? '')?.[1] ?? headers.host,
    origin: headers.origin,
    fetchSite: [headers['sec-fetch-site']].flat().join(',') || undefined,
    authorization: headers.authorization,
  };
}

/** Nothing of the kind is here, or not for this method. */
function notThere({ method, url }: FastifyRequest, allowed: AllowedMethods): AdminProblem {
  const path = /^(?:[a-z]+:\/\/[^/?#]*)?([^?#]*)/i.exec(url)?.[1] ?? '';
  const methods = allowed(path);
  if (methods.length === 0) return { status: 404, detail: 'there is nothing here; / lists what there is' };
  const allow = methods.join(', ');
  return { status: 405, detail: `${method} is not taken here, but ${allow}`, headers: { allow } };
}

function sendError(error: unknown, reply: FastifyReply, log: Log): void {
  const problem = problemOf(error);
  if (problem === undefined)
    log(
      'error',
      `admin: ${error instanceof Error ? error.message : 'something was thrown that is no error'}`,
    );
  sendProblem(reply, problem ?? { status: 500, detail: 'the gateway failed; its log says more' });
}

function sendProblem(reply: FastifyReply, problem: AdminProblem): void {
  reply
    .code(problem.status)
    .headers({ ...COMMON_HEADERS, ...problem.headers })
    .type(PROBLEM_TYPE)
    .send(problemBody(problem));
}
