import type { Static } from 'typebox';
import { Type } from 'typebox';
import { DEFAULTS } from './defaults.ts';
import { Listener } from './schema-listener.ts';
import { Route } from './schema-route.ts';
import { Defaults, Service } from './schema-service.ts';
import { block, notYet, orOff, text } from './schema-values.ts';

const opt = Type.Optional;

const Admin = orOff(
  block('The admin API, the metrics and the status page.', {
    address: opt(text('listen-address', 'Where it listens.', { default: DEFAULTS.admin.address })),
    token: opt(
      text('field-value', 'What writes need when the address is not loopback.', {
        secret: true,
        emptyIsAbsent: true,
        minLength: 1,
      }),
    ),
  }),
  { secret: true },
);

const Redis = orOff(
  block('What replicas share their knowledge through; left out, it stays in memory.', {
    url: text('redis-url', 'redis://host:port or rediss://host:port.', { secret: true }),
  }),
  { secret: true },
);

/** The whole config file: the one definition that types, checks and the JSON Schema for editors come from. */
export const ConfigSchema = block(
  'Portway: listeners take requests, routes choose a service, services hold backends.',
  {
    listeners: opt(Type.Array(Listener, { description: 'Left out: one on 0.0.0.0:8080.', minItems: 1 })),
    admin: opt(notYet(Admin)),
    redis: opt(notYet(Redis)),
    defaults: opt(Defaults),
    services: Type.Record(Type.String(), Service, {
      description: 'The services by name.',
      propertyNames: { format: 'service-name' },
      minProperties: 1,
    }),
    routes: Type.Array(Route, {
      description: 'The routes. The order counts only between equals.',
      minItems: 1,
    }),
  },
  // As in a compose file: a place for anchors.
  { patternProperties: { '^x-': {} } },
);

/** What each key of a listener, a service or a route is a key of, for those who put it elsewhere. */
export const KEY_HOMES: ReadonlyMap<string, string> = new Map([
  ...Object.keys(Listener.properties).map((key) => [key, 'a listener'] as const),
  ...Object.keys(Service.properties).map((key) => [key, 'a service'] as const),
  ...Object.keys(Route.properties).map((key) => [key, 'a route'] as const),
  ...['listeners', 'admin', 'redis', 'defaults', 'services', 'routes'].map(
    (key) => [key, 'the whole config'] as const,
  ),
  // Of both a service and a route (and the listener has its own).
  ['timeouts', 'a service or a route'],
]);

/** A config as written, after interpolation, with nothing filled in. */
export type Config = Static<typeof ConfigSchema>;
