import type { FastifyInstance } from 'fastify';

const INDEX = `Portway admin

GET  /livez                     whether the process runs
GET  /readyz                    whether new requests should come here
GET  /api/v1/status             routes, services, backends
GET  /api/v1/explain?url=       where a request would go, and why (method, header=Name:value, clientIp)
POST /api/v1/services/SERVICE/backends/HOST:PORT/drain | undrain | disable | enable
PUT  /api/v1/services/SERVICE/backends/HOST:PORT/weight     {"weight": 1 to 1000 or null}
POST /api/v1/reload             read the config again
GET  /openapi.json              all of this for programs
`;

/** The address that people try first: what else is here. */
export function addIndexRoute(app: FastifyInstance): void {
  app.get(
    '/',
    {
      schema: {
        operationId: 'getIndex',
        tags: ['status'],
        summary: 'The addresses of this API',
        produces: ['text/plain'],
        response: { 200: { type: 'string', description: 'The addresses of this API, for people.' } },
      },
    },
    (_request, reply) => reply.type('text/plain; charset=utf-8').send(INDEX),
  );
}
