import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { SendPage } from '../status-page/add-status-page.ts';

const INDEX = `Portway admin

GET  /livez                     whether the process runs
GET  /readyz                    whether new requests should come here
GET  /metrics                   for Prometheus
GET  /api/v1/status             routes, services, backends
GET  /api/v1/stream             the same as it changes, as server-sent events; / in a browser shows it
GET  /api/v1/explain?url=       where a request would go, and why (method, header=Name:value, clientIp)
POST /api/v1/services/SERVICE/backends/HOST:PORT/drain | undrain | disable | enable
PUT  /api/v1/services/SERVICE/backends/HOST:PORT/weight     {"weight": 1 to 1000 or null}
POST /api/v1/reload             read the config again
GET  /openapi.json              all of this for programs
`;

/** The address that people try first: browsers get the status page where there is one, others what else is here. */
export function addIndexRoute(app: FastifyInstance, sendPage: SendPage | undefined): void {
  app.get(
    '/',
    {
      schema: {
        operationId: 'getIndex',
        tags: ['status'],
        summary: 'The addresses of this API; for browsers the status page',
        produces: ['text/plain'],
        response: { 200: { type: 'string', description: 'The addresses of this API, for people.' } },
      },
    },
    (request, reply) => {
      reply.header('vary', 'accept');
      if (sendPage !== undefined && wantsHtml(request)) return sendPage(request, reply);
      return reply.type('text/plain; charset=utf-8').send(INDEX);
    },
  );
}

/** Browsers name it; curl and its like take anything. */
function wantsHtml({ headers }: FastifyRequest): boolean {
  return /\btext\/html\b/i.test(headers.accept ?? '');
}
