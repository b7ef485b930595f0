import { ConfigSchema } from './schema.ts';

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
type JsonObject = { readonly [key: string]: Json };

/** Formats that only our own checker knows, and annotations that are for it. */
const OWN_KEYS = new Set([
  'format',
  'secret',
  'emptyIsAbsent',
  'later',
  'minMs',
  'maxMs',
  'minBytes',
  'maxBytes',
]);
const FROM_ENVIRONMENT = { $ref: '#/definitions/fromEnvironment' };

/**
 * The config's schema for editors (draft-07, which all of them read): what needs more than a plain text value also
 * takes text with `${VAR}` in it, and choices such as `503` may be written as numbers.
 */
export function configJsonSchema(): JsonObject {
  const plain = JSON.parse(JSON.stringify(ConfigSchema)) as JsonObject;
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Portway configuration',
    ...(forEditors(plain) as JsonObject),
    definitions: {
      fromEnvironment: {
        title: `text with a variable, \${NAME} or \${NAME:-default}`,
        type: 'string',
        pattern: '\\$\\{',
      },
    },
  };
}

function forEditors(node: JsonObject): Json {
  const own: Record<string, Json> = {};
  for (const [key, value] of Object.entries(node)) {
    if (OWN_KEYS.has(key) || key === 'propertyNames') continue;
    own[key] = key === 'default' || key === 'const' ? value : inside(key, value);
  }
  return needsAlternative(own) ? withAlternative(own) : own;
}

function inside(key: string, value: Json): Json {
  if (key === 'properties' || key === 'patternProperties') {
    return Object.fromEntries(
      Object.entries(value as JsonObject).map(([name, inner]) => [name, forEditors(inner as JsonObject)]),
    );
  }
  if (key === 'enum') return withNumbers(value as readonly Json[]);
  if (key === 'items') return forEditors(value as JsonObject);
  if (key === 'anyOf') return (value as readonly JsonObject[]).map(forEditors);
  return value;
}

/** YAML reads `[502]` as a number, and the check takes text as it is written. */
function withNumbers(choices: readonly Json[]): readonly Json[] {
  return choices.flatMap((choice) =>
    /^[0-9]+(\.[0-9]+)?$/.test(String(choice)) ? [choice, Number(choice)] : [choice],
  );
}

/** Plain text takes `${VAR}` as it is; numbers, booleans, choices and patterns do not. */
function needsAlternative(node: JsonObject): boolean {
  if ('const' in node) return false;
  return 'enum' in node || 'pattern' in node || node['type'] === 'integer' || node['type'] === 'boolean';
}

function withAlternative(node: JsonObject): JsonObject {
  const { title, description, default: preset, ...rule } = node;
  return {
    ...(title === undefined ? {} : { title }),
    ...(description === undefined ? {} : { description }),
    ...(preset === undefined ? {} : { default: preset }),
    anyOf: [rule, FROM_ENVIRONMENT],
  };
}
