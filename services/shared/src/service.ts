import type { ServerOptions } from 'node:http';
import type { FastifyError, FastifyInstance } from 'fastify';
import fastify from 'fastify';
import { addKnobs, KnobPanel } from './knobs.ts';
import type { Surroundings } from './surroundings.ts';

/** What every demo service is built from. */
export interface ServiceOptions extends Surroundings {
  /** How this instance calls itself in `x-instance`; undefined means `<service>-<port>`. */
  readonly instance: string | undefined;
}

/** The part all demo services share. */
export interface Service {
  readonly app: FastifyInstance;
  readonly knobs: KnobPanel;
  /** Known from the moment the app listens. */
  readonly instanceName: () => string;
}

/** Node tells it to clients as `Keep-Alive: timeout=5`; a gateway has to retire idle connections before it. */
const KEEP_ALIVE_TIMEOUT_MS = 5_000;
const MAX_JSON_BYTES = 64 * 1024;

/** A Fastify app with x-instance on every answer, /health, /knobs, strict validation and a gentle close. */
export function buildService(service: string, options: ServiceOptions, http: ServerOptions = {}): Service {
  const knobs = new KnobPanel(options);
  const app = fastify({
    http,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    bodyLimit: MAX_JSON_BYTES,
    routerOptions: { maxParamLength: 256 },
    // a request that came in on a live connection while we close is still served: a 503 would be our own doing
    return503OnClosing: false,
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false, allErrors: true } },
    schemaErrorFormatter: (errors, where) =>
      new Error(errors.map((error) => describe(error, where)).join('; ')),
    // bad URLs never reach the hooks, so the header is set here too
    frameworkErrors: (error, _request, { raw }) => {
      const statusCode = error.statusCode ?? 400;
      raw.writeHead(statusCode, { 'x-instance': instanceName(), 'content-type': 'application/json' });
      raw.end(JSON.stringify({ statusCode, code: error.code, message: error.message }));
    },
  });
  const instanceName = () => options.instance ?? `${service}-${portOf(app)}`;

  app.addHook('onRequest', (_request, reply, done) => {
    reply.header('x-instance', instanceName());
    done();
  });
  acceptEmptyBodies(app);
  addKnobs(app, knobs, options.exit);
  closeGently(app);
  reportErrors(app, instanceName);
  app.get('/health', (_request, reply) => {
    const status = knobs.knobs.unhealthy ? 'unhealthy' : 'ok';
    return reply.code(status === 'ok' ? 200 : 503).send({ status, service, instance: instanceName() });
  });
  return { app, knobs, instanceName };
}

/** The port the app listens on; 0 before it does. */
function portOf(app: FastifyInstance): number {
  const address = app.server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

interface SchemaError {
  readonly instancePath: string;
  readonly keyword: string;
  readonly params: Record<string, unknown>;
  readonly message?: string | undefined;
}

/** Ajv's own text names neither the unknown key nor the allowed values. */
function describe(error: SchemaError, where: string): string {
  const at = `${where}${error.instancePath}`;
  if (error.keyword === 'additionalProperties')
    return `${at} has unknown key '${String(error.params['additionalProperty'])}'`;
  return `${at} ${error.message ?? 'is not valid'}`;
}

/** Clients and proxies send DELETE or POST with a content type and no content; Fastify alone answers 400 or 415. */
function acceptEmptyBodies(app: FastifyInstance): void {
  app.addHook('onRequest', (request, _reply, done) => {
    const { headers } = request;
    const length = headers['content-length'];
    const isEmpty = headers['transfer-encoding'] === undefined && (length === undefined || length === '0');
    if (isEmpty) delete headers['content-type'];
    done();
  });
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body.length === 0) done(null, undefined);
    else parseJson(request, body.toString(), done);
  });
}

/** server.close() only closes connections that are idle at that moment; those that become idle later are closed here. */
function closeGently(app: FastifyInstance): void {
  let closing = false;
  app.addHook('preClose', (done) => {
    closing = true;
    done();
  });
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (closing) reply.header('connection', 'close');
    done();
  });
  app.addHook('onResponse', (_request, _reply, done) => {
    // an answer whose head was sent before the close has left its connection open
    if (closing) setImmediate(() => app.server.closeIdleConnections());
    done();
  });
}

function reportErrors(app: FastifyInstance, instanceName: () => string): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const statusCode = error.statusCode ?? 500;
    if (statusCode >= 500)
      process.stderr.write(
        `${instanceName()}: ${request.method} ${request.url}: ${error.stack ?? error.message}\n`,
      );
    const message = statusCode >= 500 ? 'internal error' : error.message;
    return reply.code(statusCode).send({ statusCode, code: error.code, message });
  });
}
