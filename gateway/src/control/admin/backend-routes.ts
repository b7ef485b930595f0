import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Static } from 'typebox';
import type { AdminState, BackendRef, BackendStatus, DataStatus } from '../../data/port.ts';
import type { AdminDeps } from './admin-deps.ts';
import { ProblemError } from './problem.ts';
import { answers, BackendParams, NoBody, Weight, WRITE_ERRORS } from './schemas.ts';

type Params = Static<typeof BackendParams>;
type BackendDeps = Pick<AdminDeps, 'status' | 'setAdmin' | 'setWeight' | 'log'>;

const BASE = '/api/v1/services/:service/backends/:backend';

const ACTIONS: readonly {
  readonly action: string;
  readonly state: AdminState;
  readonly summary: string;
  readonly description: string;
}[] = [
  {
    action: 'drain',
    state: 'draining',
    summary: 'Give a backend no new requests',
    description: 'Those under way end; `pending` says how many are left. Ask for the status until it is 0.',
  },
  {
    action: 'undrain',
    state: 'enabled',
    summary: 'Take a drain back',
    description: 'The same as enable.',
  },
  {
    action: 'disable',
    state: 'disabled',
    summary: 'Take a backend out',
    description: 'As drain, and it is not probed any more.',
  },
  {
    action: 'enable',
    state: 'enabled',
    summary: 'Let a backend have requests again',
    description: 'As far as its health and its breaker let it.',
  },
];

/** What an operator can do to one backend. Each is idempotent and answers the backend's status after it. */
export function addBackendRoutes(app: FastifyInstance, deps: BackendDeps): void {
  for (const { action, state, summary, description } of ACTIONS) {
    app.post<{ Params: Params }>(
      `${BASE}/${action}`,
      {
        schema: {
          operationId: `${action}Backend`,
          tags: ['backends'],
          summary,
          description,
          security: [{ token: [] }],
          params: BackendParams,
          body: NoBody,
          response: answers('Backend', WRITE_ERRORS),
        },
        preValidation: bodyMayBeLeftOut,
      },
      ({ params, ip }) =>
        change(deps, params, `${state} (asked by ${ip})`, (ref) => deps.setAdmin(ref, state)),
    );
  }
  app.put<{ Params: Params; Body: Static<typeof Weight> }>(
    `${BASE}/weight`,
    {
      schema: {
        operationId: 'setBackendWeight',
        tags: ['backends'],
        summary: "Set a backend's share of the requests",
        description: 'In proportion to the weights of the others; null goes back to that of the config.',
        security: [{ token: [] }],
        params: BackendParams,
        body: Weight,
        response: answers('Backend', WRITE_ERRORS),
      },
    },
    ({ params, body: { weight }, ip }) =>
      change(deps, params, `weight ${weight ?? "the config's"} (asked by ${ip})`, (ref) =>
        deps.setWeight(ref, weight ?? undefined),
      ),
  );
}

/** Lets a route's schema see an empty body as {}. */
export async function bodyMayBeLeftOut(request: FastifyRequest): Promise<void> {
  // null is a body
  if (request.body === undefined) request.body = {};
}

function change(
  { status, log }: BackendDeps,
  ref: BackendRef,
  what: string,
  apply: (ref: BackendRef) => boolean,
): { readonly service: string } & BackendStatus {
  const known = apply({ service: ref.service, backend: ref.backend });
  const now = status();
  const backend = known ? findBackend(now, ref) : undefined;
  if (backend === undefined) throw new ProblemError({ status: 404, detail: whatIsThere(now, ref) });
  log('info', `admin: backend ${ref.backend} of service ${ref.service}: ${what}`);
  return { service: ref.service, ...backend };
}

function findBackend({ services }: DataStatus, { service, backend }: BackendRef): BackendStatus | undefined {
  return services.find(({ name }) => name === service)?.backends.find(({ name }) => name === backend);
}

function whatIsThere({ services }: DataStatus, { service, backend }: BackendRef): string {
  const found = services.find(({ name }) => name === service);
  if (found === undefined)
    return `there is no service ${shown(service)}; there are: ${listed(services.map(({ name }) => name))}`;
  const names = found.backends.map(({ name }) => name);
  return `service ${service} has no backend ${shown(backend)}; it has: ${listed(names)}`;
}

/** A name of the caller's: whole, but not endless. */
function shown(name: string): string {
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name);
}

const MOST_LISTED = 20;

function listed(names: readonly string[]): string {
  if (names.length === 0) return 'none';
  const more = names.length - MOST_LISTED;
  return names.slice(0, MOST_LISTED).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
