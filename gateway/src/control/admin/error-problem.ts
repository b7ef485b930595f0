import { type AdminProblem, ProblemError } from './problem.ts';

/** The parts of Fastify's and Ajv's errors that are read here. */
interface RequestError extends Error {
  readonly code?: string;
  readonly statusCode?: number;
  readonly validationContext?: string;
  readonly validation?: readonly ValidationFault[];
}

interface ValidationFault {
  readonly keyword: string;
  /** JSON pointer, e.g. `/weight`. */
  readonly instancePath: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly message?: string;
}

const FRAMEWORK_PROBLEMS: Readonly<Record<string, AdminProblem>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: { status: 413, detail: 'the body is larger than 16 KiB' },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: { status: 415, detail: 'a body is application/json' },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: {
    status: 400,
    detail: 'the body is not as long as Content-Length says',
  },
  FST_ERR_BAD_URL: { status: 400, detail: 'the path is not percent-encoded UTF-8' },
  FST_ERR_MAX_PARAM_LENGTH: { status: 404, detail: 'no service or backend has so long a name' },
};

/** What to answer to an error; undefined: it is ours, and nothing of it is the caller's business. */
export function problemOf(error: unknown): AdminProblem | undefined {
  if (error instanceof ProblemError) return error.problem;
  if (!(error instanceof Error)) return undefined;
  const { code, statusCode, validation, validationContext = 'body' } = error as RequestError;
  const fault = validation?.[0];
  if (fault !== undefined)
    return invalid(fault, validationContext === 'querystring' ? 'query' : validationContext);
  if (code !== undefined && Object.hasOwn(FRAMEWORK_PROBLEMS, code)) return FRAMEWORK_PROBLEMS[code];
  // what broke while the body was read, such as a client that left
  return statusCode === 400 ? { status: 400, detail: 'the request could not be read' } : undefined;
}

function invalid({ keyword, instancePath, params, message }: ValidationFault, where: string): AdminProblem {
  const path = instancePath.slice(1).replaceAll('/', '.');
  const missing = params['missingProperty'];
  const unknown = params['additionalProperty'];
  if (keyword === 'required' && typeof missing === 'string')
    return badField(missing, `${where}: ${missing} is missing`);
  if (keyword === 'additionalProperties' && typeof unknown === 'string')
    return badField(unknown, `${where}: ${unknown} is not known here`);
  return badField(path || where, `${where}: ${path}${path && ' '}${saying(message, params)}`);
}

function saying(message: string | undefined, params: Readonly<Record<string, unknown>>): string {
  const types = params['type'];
  return Array.isArray(types) ? `must be ${types.join(' or ')}` : (message ?? 'is not valid');
}

/** 400 for one field of a body or query. */
export function badField(field: string, detail: string): AdminProblem {
  return { status: 400, detail, extra: { field } };
}
