import { type TSchema, Type } from 'typebox';
import { PROBLEM_TYPE } from './problem.ts';
import { BackendStatusSchema, DataStatusSchema, ExplanationSchema } from './status-schema.ts';

const Problem = Type.Object(
  {
    type: Type.Literal('about:blank'),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String({ description: 'What is wrong, for people.' }),
    field: Type.Optional(
      Type.String({ description: 'Of a 400: the field of the body or query that is wrong.' }),
    ),
    problems: Type.Optional(
      Type.Array(Type.String(), { description: 'Of a refused reload: each as `file:line:column: what`.' }),
    ),
    reasons: Type.Optional(Type.Array(Type.String(), { description: 'Of /readyz: why not.' })),
  },
  { $id: 'Problem', description: 'Problem details (RFC 9457).' },
);

const Live = Type.Object({ live: Type.Literal(true) }, { $id: 'Live', description: 'The process runs.' });

const Ready = Type.Object(
  { ready: Type.Literal(true), reasons: Type.Array(Type.String()) },
  { $id: 'Ready', description: 'New requests are welcome.' },
);

const Status = Type.Object(
  {
    gateway: Type.Object(
      {},
      { additionalProperties: true, description: 'Version, replica, uptime and the like.' },
    ),
    ...DataStatusSchema.properties,
  },
  { $id: 'Status', description: 'All that is known of listeners, routes, services and backends.' },
);

const Backend = Type.Object(
  { service: Type.String(), ...BackendStatusSchema.properties },
  { $id: 'Backend', description: 'The backend after the change.' },
);

const Reload = Type.Object(
  {
    changes: Type.Array(
      Type.Object({
        what: Type.Union(
          ['listener', 'service', 'backend', 'route', 'setting'].map((what) => Type.Literal(what)),
        ),
        name: Type.String({ examples: ['db 127.0.0.1:3021'] }),
        change: Type.Union([Type.Literal('added'), Type.Literal('removed'), Type.Literal('changed')]),
        detail: Type.String({ description: 'Which fields changed and how; empty when that says nothing.' }),
      }),
    ),
  },
  { $id: 'Reload', description: 'The config was read again and is in force; what changed.' },
);

/** The schemas that answers refer to by name. */
export const SHARED_SCHEMAS: readonly TSchema[] = [
  Problem,
  Live,
  Ready,
  Status,
  Backend,
  Reload,
  ExplanationSchema,
];

/** The name of a shared schema. */
export type SchemaName = 'Problem' | 'Live' | 'Ready' | 'Status' | 'Backend' | 'Reload' | 'Explanation';

/** Why a request may get each of the error statuses. */
const ERRORS = {
  400: 'The request is malformed; `field` names the part of the body or query.',
  401: 'The token is missing or wrong, or none is set where one must be.',
  403: 'A browser was led here by a foreign page or name.',
  404: 'There is no such service or backend.',
  413: 'The body is larger than 16 KiB.',
  415: 'The body is not JSON.',
  422: 'The new config is wrong; the one in force stays.',
  500: 'The gateway failed.',
  503: 'Not ready; `reasons` says why.',
} as const;

const ofRoutes = [403, 500] as const;

/** Errors of every route that changes something. */
export const WRITE_ERRORS = [400, 401, 404, 413, 415] as const;

/** A route's `response`: what a good answer is, and the errors beside those that every route has. */
export function answers(
  good: SchemaName,
  errors: readonly (keyof typeof ERRORS)[] = [],
): Record<number, unknown> {
  const response: Record<number, unknown> = { 200: { $ref: `${good}#` } };
  for (const status of [...errors, ...ofRoutes].sort()) response[status] = problem(ERRORS[status]);
  return response;
}

function problem(description: string): object {
  return { description, content: { [PROBLEM_TYPE]: { schema: { $ref: 'Problem#' } } } };
}

export const Weight = Type.Object(
  {
    weight: Type.Unsafe<number | null>({
      type: ['integer', 'null'],
      minimum: 1,
      maximum: 1000,
      description: "null: back to the config's.",
      examples: [2],
    }),
  },
  { additionalProperties: false },
);

export const NoBody = Type.Object({}, { additionalProperties: false, description: 'Empty or {}.' });

export const BackendParams = Type.Object({
  service: Type.String({ examples: ['db'] }),
  backend: Type.String({ description: '`host:port`, percent-encoded.', examples: ['127.0.0.1:3001'] }),
});

export const ExplainQuery = Type.Object(
  {
    url: Type.String({
      description: 'Absolute, or a path: then header=Host:… says for which host.',
      examples: ['http://www.example.com/db/1'],
    }),
    method: Type.Optional(Type.String({ description: 'GET when left out.' })),
    header: Type.Optional(Type.Array(Type.String(), { description: '`Name:value`, once for each field.' })),
    clientIp: Type.Optional(Type.String({ description: "The caller's own when left out." })),
  },
  { additionalProperties: false },
);
