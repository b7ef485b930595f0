import type { FastifyInstance } from 'fastify';
import type { AdminDeps } from './admin-deps.ts';
import { bodyMayBeLeftOut } from './backend-routes.ts';
import { ProblemError } from './problem.ts';
import { answers, NoBody } from './schemas.ts';

/** Reading the config again. */
export function addReloadRoute(
  app: FastifyInstance,
  { reload, log }: Pick<AdminDeps, 'reload' | 'log'>,
): void {
  app.post(
    '/api/v1/reload',
    {
      schema: {
        operationId: 'reloadConfig',
        tags: ['config'],
        summary: 'Read the config again and put it in force',
        description:
          'What did not change keeps its connections and its state. A wrong config changes nothing.',
        security: [{ token: [] }],
        body: NoBody,
        response: answers('Reload', [400, 401, 413, 415, 422]),
      },
      preValidation: bodyMayBeLeftOut,
    },
    async ({ ip }) => {
      log('info', `admin: reload (asked by ${ip})`);
      const result = await reload();
      if (result.ok) return { changes: result.changes };
      const { problems } = result;
      throw new ProblemError({
        status: 422,
        detail: `the new config is not in force: ${problems.length === 1 ? 'it has a problem' : `it has ${problems.length} problems`}`,
        extra: { problems },
      });
    },
  );
}
