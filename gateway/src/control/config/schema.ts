import type { Static } from 'typebox';
import { Type } from 'typebox';
import { Admin, Drain, Redis } from './schema-control.ts';
import { Listener } from './schema-listener.ts';
import { AccessLog, Log, Tracing } from './schema-logs.ts';
import { Route } from './schema-route.ts';
import { Defaults, Service } from './schema-service.ts';
import { block } from './schema-values.ts';

const opt = Type.Optional;

/** The whole config file: the one definition that types, checks and the JSON Schema for editors come from. */
export const ConfigSchema = block(
  'Portway: listeners take requests, routes choose a service, services hold backends.',
  {
    listeners: opt(Type.Array(Listener, { description: 'Left out: one on 0.0.0.0:8080.', minItems: 1 })),
    admin: opt(Admin),
    redis: opt(Redis),
    drain: opt(Drain),
    log: opt(Log),
    accessLog: opt(AccessLog),
    tracing: opt(Tracing),
    defaults: opt(Defaults),
    services: opt(
      Type.Record(Type.String(), Service, {
        description: 'The services by name; needed by routes and by listeners for tcp and udp.',
        propertyNames: { format: 'service-name' },
        minProperties: 1,
      }),
    ),
    routes: opt(
      Type.Array(Route, {
        description: 'The routes, which http listeners need. The order counts only between equals.',
        minItems: 1,
      }),
    ),
  },
  // As in a compose file: a place for anchors.
  { patternProperties: { '^x-': {} } },
);

/** What each key of a listener, a service or a route is a key of, for those who put it elsewhere. */
export const KEY_HOMES: ReadonlyMap<string, string> = new Map([
  ...Object.keys(Listener.properties).map((key) => [key, 'a listener'] as const),
  ...Object.keys(Service.properties).map((key) => [key, 'a service'] as const),
  ...Object.keys(Route.properties).map((key) => [key, 'a route'] as const),
  ...['listeners', 'admin', 'redis', 'drain', 'defaults', 'services', 'routes'].map(
    (key) => [key, 'the whole config'] as const,
  ),
  ...['log', 'accessLog', 'tracing'].map((key) => [key, 'the whole config'] as const),
  ...['protocol', 'tls'].map((key) => [key, 'a listener or a service'] as const),
  ['service', 'a route, or a listener with protocol: tcp or udp'] as const,
  // Of both a service and a route (and the listener has its own).
  ...['timeouts', 'retry', 'concurrency'].map((key) => [key, 'a service or a route'] as const),
  ...['budgetPercent', 'minPerSecond'].map(
    (key) => [key, 'the retry of a service, whose routes share one budget'] as const,
  ),
]);

/** A config as written, after interpolation, with nothing filled in. */
export type Config = Static<typeof ConfigSchema>;
