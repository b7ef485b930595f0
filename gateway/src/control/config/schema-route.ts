import type { Static } from 'typebox';
import { Type } from 'typebox';
import { DEFAULTS } from './defaults.ts';
import { RouteRetry } from './schema-retry.ts';
import { Concurrency, MaxBodySize, Timeouts, WebSocket } from './schema-shared.ts';
import { block, fields, text } from './schema-values.ts';

const opt = Type.Optional;

function headerEdit(description: string) {
  return block(description, {
    set: opt(fields('Fields to set; each replaces every field of that name.', 'editable-field-name')),
    remove: opt(
      Type.Array(text('editable-field-name', 'A field to remove.'), { description: 'Fields to remove.' }),
    ),
  });
}

/** One route: which requests go to which service. */
export const Route = block('Which requests go to which service.', {
  path: text(
    'route-path',
    'Path prefix, on a segment boundary: /db is /db and /db/1, not /dbx. The longest wins.',
  ),
  host: opt(text('route-host', 'The host, or *.example.com; left out, every host.')),
  methods: opt(
    Type.Array(text('method', 'A method.'), {
      description: 'Methods; left out, all.',
      minItems: 1,
      maxItems: 32,
    }),
  ),
  headers: opt(
    Type.Record(Type.String(), Type.String({ format: 'field-value' }), {
      description: 'Fields a request must have, with their values; "*" is any value.',
      propertyNames: { format: 'field-name' },
      maxProperties: 8,
    }),
  ),
  service: text('service-name', 'The service that takes these requests.'),
  stripPrefix: opt(
    Type.Boolean({ description: 'Takes the matched prefix away; the same as rewrite: /.', default: false }),
  ),
  rewrite: opt(text('route-path', 'What replaces the matched prefix.')),
  timeouts: opt(Timeouts),
  retry: opt(RouteRetry),
  concurrency: opt(Concurrency),
  priority: opt(
    Type.Enum(['high', 'normal', 'low'], {
      description: 'Who waits and who is turned away first when a concurrency limit is reached.',
      default: DEFAULTS.priority,
    }),
  ),
  maxBodySize: opt(MaxBodySize),
  webSocket: opt(WebSocket),
  requestHeaders: opt(headerEdit('Changes to the fields of the request.')),
  responseHeaders: opt(headerEdit('Changes to the fields of the response.')),
});

export type RouteConfig = Static<typeof Route>;
