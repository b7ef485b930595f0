import { Type } from 'typebox';
import { LOG_LEVELS } from '../control-plan.ts';
import { DEFAULTS } from './defaults.ts';
import { PERCENT_PATTERN } from './percent.ts';
import { block, fields, orOff, text } from './schema-values.ts';

const opt = Type.Optional;

function percent(description: string, preset: string) {
  return text('percent', description, {
    title: 'a percentage such as 1%',
    pattern: PERCENT_PATTERN,
    default: preset,
  });
}

/** The lines that the gateway says of itself. */
export const Log = block('What the gateway says of itself.', {
  format: opt(
    Type.Enum(['text', 'json'], {
      description:
        'text for people, with warnings and errors on stderr; json is one object a line, on stdout.',
      default: DEFAULTS.log.format,
    }),
  ),
  level: opt(
    Type.Enum([...LOG_LEVELS], { description: 'The least that is said.', default: DEFAULTS.log.level }),
  ),
});

/** A line for each request. */
export const AccessLog = orOff(
  block('A line of JSON for each request; left out, none is written.', {
    mode: opt(
      Type.Enum(['off', 'errors', 'sampled', 'all'], {
        description:
          'Which requests: errors are statuses from 500 on and every failure; sampled is those and a share of the others. Left out: sampled where sample is given, all otherwise.',
      }),
    ),
    sample: opt(
      percent(
        'The share of requests that are no errors; every replica chooses the same ones.',
        DEFAULTS.accessLog.sample,
      ),
    ),
    path: opt(
      text('file-path', 'stdout, or a file, opened anew on SIGHUP and SIGUSR2.', {
        default: DEFAULTS.accessLog.path,
      }),
    ),
    headers: opt(
      Type.Array(text('field-name', 'A field of requests; "*" is all.'), {
        description: 'Fields of requests to log. Credentials never are.',
        maxItems: 64,
        default: [],
      }),
    ),
    redact: opt(
      block('What is not to be read in the log, or in traces.', {
        headers: opt(
          Type.Array(text('field-name', 'A field.'), {
            description: 'Fields whose values are hidden, beside credentials.',
            maxItems: 64,
          }),
        ),
        query: opt(
          Type.Union(
            [
              Type.Literal(true),
              Type.Literal(false),
              Type.Array(Type.String({ minLength: 1, maxLength: 256 }), {
                description: 'Names of parameters.',
                maxItems: 256,
              }),
            ],
            {
              title: 'true, false, or a list of names',
              description:
                'Values of the query that are hidden: true is all, false none; a list is these beside those whose names look secret (token, key, password, sig, code and the like).',
            },
          ),
        ),
      }),
    ),
  }),
);

/** Spans for OpenTelemetry. */
export const Tracing = orOff(
  block('Spans for OpenTelemetry; left out, none are made.', {
    otlp: text(
      'otlp-url',
      'Where spans are sent, by OTLP over HTTP with JSON: http://host:4318/v1/traces. Empty: as if tracing were left out.',
      { secret: true },
    ),
    sample: opt(
      percent('The share of requests whose client has not decided already.', DEFAULTS.tracing.sample),
    ),
    headers: opt(fields('Fields to send with the spans.', 'editable-field-name')),
    serviceName: opt(
      Type.String({
        description: 'What the gateway is called in traces.',
        minLength: 1,
        maxLength: 255,
        default: DEFAULTS.tracing.serviceName,
      }),
    ),
  }),
  { secret: true },
);
