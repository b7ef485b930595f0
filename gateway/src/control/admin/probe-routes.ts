import type { FastifyInstance } from 'fastify';
import type { AdminDeps } from './admin-deps.ts';
import { ProblemError } from './problem.ts';
import { answers } from './schemas.ts';

/** What whoever runs the process asks: is it alive, should it get work. */
export function addProbeRoutes(app: FastifyInstance, { readiness }: Pick<AdminDeps, 'readiness'>): void {
  app.get(
    '/livez',
    {
      schema: {
        operationId: 'getLive',
        tags: ['probes'],
        summary: 'Whether the process runs',
        description: '200 whenever it answers at all. Restart it when it does not.',
        response: answers('Live'),
      },
    },
    () => ({ live: true }),
  );
  app.get(
    '/readyz',
    {
      schema: {
        operationId: 'getReady',
        tags: ['probes'],
        summary: 'Whether new requests should come here',
        description: '503 with the reasons before it has started and from the moment it stops.',
        response: answers('Ready', [503]),
      },
    },
    () => {
      const { ready, reasons } = readiness();
      if (ready) return { ready, reasons };
      throw new ProblemError({
        status: 503,
        detail: `not ready: ${reasons.join('; ')}`,
        extra: { reasons },
      });
    },
  );
}
