import type { FastifyInstance } from 'fastify';
import type { Exposition } from '../metrics/exposition.ts';

/** GET /metrics, for Prometheus. */
export function addMetricsRoute(app: FastifyInstance, metrics: Exposition): void {
  const schema = {
    operationId: 'getMetrics',
    description:
      'The metrics, as Prometheus reads them; as OpenMetrics with exemplars for those who accept that.',
    response: { 200: { type: 'string', description: 'Text exposition.' } },
  };
  app.get('/metrics', { schema }, async (request, reply) => {
    const { contentType, body } = await metrics.write(request.headers.accept);
    return reply
      .header('content-type', contentType)
      .serializer((text: string) => text)
      .send(body);
  });
}
