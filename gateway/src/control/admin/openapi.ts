import { fastifySwagger } from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { SHARED_SCHEMAS } from './schemas.ts';

/** Gathers the schemas of all routes added after it, and serves them at /openapi.json. */
export async function addOpenapi(app: FastifyInstance): Promise<void> {
  for (const schema of SHARED_SCHEMAS) app.addSchema(schema);
  await app.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Portway admin API',
        description: 'See and change what a running gateway does.',
        version: '1',
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: '/' }],
      tags: [
        { name: 'probes', description: 'For whoever runs the process.' },
        { name: 'status', description: 'What is known, and what would happen.' },
        { name: 'backends', description: 'Taking backends out and in.' },
        { name: 'config', description: 'The config in force.' },
      ],
      components: {
        securitySchemes: {
          token: {
            type: 'http',
            scheme: 'bearer',
            description: "The config's admin.token. Not needed on a loopback address without one.",
          },
        },
      },
    },
    // components by their own names
    refResolver: {
      buildLocalReference: (json, _base, _fragment, index) => String(json['$id'] ?? `def-${index}`),
    },
  });
  app.get(
    '/openapi.json',
    {
      schema: {
        operationId: 'getOpenapi',
        tags: ['status'],
        summary: 'This description',
        response: {
          200: { type: 'object', additionalProperties: true, description: 'An OpenAPI 3.1 document.' },
        },
      },
    },
    () => app.swagger(),
  );
}
