import type { FastifyInstance } from 'fastify';
import type { Static } from 'typebox';
import type { AdminDeps } from './admin-deps.ts';
import { badField } from './error-problem.ts';
import { readQuestion } from './explain-question.ts';
import { ProblemError } from './problem.ts';
import { answers, ExplainQuery } from './schemas.ts';

/** What the gateway knows, and what it would do. */
export function addStatusRoutes(
  app: FastifyInstance,
  { status, about, explain }: Pick<AdminDeps, 'status' | 'about' | 'explain'>,
): void {
  app.get(
    '/api/v1/status',
    {
      schema: {
        operationId: 'getStatus',
        tags: ['status'],
        summary: 'Listeners, routes, services and backends as they are now',
        description: 'Of each backend: its weight, whether it is eligible and why not, and its connections.',
        response: answers('Status'),
      },
    },
    () => ({ gateway: about(), ...status() }),
  );
  app.get<{ Querystring: Static<typeof ExplainQuery> }>(
    '/api/v1/explain',
    {
      schema: {
        operationId: 'explainRequest',
        tags: ['status'],
        summary: 'Where a request would go, and why',
        description: 'Nothing is sent anywhere. The answer is 200 also for requests that would be refused.',
        querystring: ExplainQuery,
        response: answers('Explanation', [400]),
      },
    },
    ({ query, ip }) => {
      const { method = 'GET', url, header: headers = [], clientIp = withoutMapping(ip) } = query;
      const read = readQuestion({ method, url, headers, clientIp });
      if (!read.ok) throw new ProblemError(badField(read.field, read.detail));
      return explain(read.question);
    },
  );
}

/** IPv4 clients of a dual-stack socket have IPv4-mapped addresses. */
function withoutMapping(ip: string): string {
  return ip.replace(/^::ffff:(?=[0-9.]+$)/i, '');
}
