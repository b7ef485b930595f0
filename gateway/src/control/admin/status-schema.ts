import { Type } from 'typebox';

// The types of data/port.ts as JSON: what is undefined there is left out here. A test holds the two together.

const count = (description: string) => Type.Integer({ description, minimum: 0 });
const orNothing = Type.Optional;

/** One backend of a service. */
export const BackendStatusSchema = Type.Object({
  name: Type.String({ description: '`host:port`.', examples: ['127.0.0.1:3001'] }),
  weight: Type.Number({ description: "The config's or the operator's, 1 to 1000." }),
  effectiveWeight: Type.Number({
    description: 'What the balancer sees: less while the backend starts slowly.',
  }),
  eligible: Type.Boolean({ description: 'Whether the balancer may pick it.' }),
  excludedBy: orNothing(
    Type.Union(
      [Type.Literal('admin'), Type.Literal('health'), Type.Literal('ejection'), Type.Literal('breaker')],
      { description: 'Which step keeps it out; left out when it is eligible.' },
    ),
  ),
  reason: orNothing(Type.String({ description: 'Why it is not eligible, for people.' })),
  admin: Type.Union([Type.Literal('enabled'), Type.Literal('draining'), Type.Literal('disabled')], {
    description: 'What the operator wants. draining: no new requests; disabled: no probes either.',
  }),
  health: Type.Union(
    [Type.Literal('healthy'), Type.Literal('unhealthy'), Type.Literal('unknown'), Type.Literal('unchecked')],
    { description: 'What probes say; unknown before the first, unchecked without any.' },
  ),
  healthReason: orNothing(Type.String({ description: 'What the last probe saw.' })),
  breaker: Type.Union([Type.Literal('closed'), Type.Literal('half-open'), Type.Literal('open')]),
  ejectedUntilMs: orNothing(
    Type.Number({ description: 'Milliseconds since 1970; left out when not ejected.' }),
  ),
  pending: count('Requests given to it and not yet answered: what is left of a drain.'),
  latencyMs: Type.Number({ description: 'Peak-EWMA of the time to the head of an answer; 0 when unknown.' }),
  pool: Type.Object(
    {
      active: count('Connections with a request on them.'),
      idle: count('Connections kept for the next request.'),
      connecting: count('Connections being made.'),
      queued: count('Requests that wait for a connection.'),
      max: count('Most connections.'),
    },
    { description: 'The connections to it.' },
  ),
  lastSuccessAgoMs: orNothing(
    Type.Number({ description: 'How long ago live traffic last went well there; left out: never.' }),
  ),
});

const ServiceStatusSchema = Type.Object({
  name: Type.String(),
  balance: Type.String({ examples: ['p2c'] }),
  backends: Type.Array(BackendStatusSchema),
  eligible: count('Backends that may be picked.'),
  failOpen: Type.Boolean({
    description: 'Whether backends that are not eligible are tried because none is.',
  }),
  retryBudgetRemaining: Type.Number(),
  concurrency: orNothing(
    Type.Object(
      { inFlight: count('Requests under way.'), limit: Type.Number(), queued: count('Requests that wait.') },
      { description: 'Left out without a limit.' },
    ),
  ),
});

const RouteStatusSchema = Type.Object({
  name: Type.String({ examples: ['www.example.com/db'] }),
  host: orNothing(Type.String({ description: 'Left out: every host.' })),
  path: Type.String({ description: 'A prefix, matched on segment boundaries.' }),
  methods: Type.Array(Type.String(), { description: 'Empty: every method.' }),
  service: Type.String(),
});

const ListenerStatusSchema = Type.Object({
  address: Type.String({ examples: ['0.0.0.0:8443'] }),
  protocol: Type.Union(
    [Type.Literal('http'), Type.Literal('https'), Type.Literal('tcp'), Type.Literal('udp')],
    { description: 'What is spoken there.' },
  ),
  connections: count('Clients connected; of udp, clients with a session.'),
  services: Type.Array(Type.String(), {
    description: 'Of tcp and udp: where it leads. Empty for http and https, where routes lead on.',
  }),
});

export const DataStatusSchema = Type.Object({
  listeners: Type.Array(ListenerStatusSchema),
  routes: Type.Array(RouteStatusSchema),
  services: Type.Array(ServiceStatusSchema),
  draining: Type.Boolean({ description: 'Whether the gateway is stopping.' }),
});

export const ExplanationSchema = Type.Object(
  {
    path: orNothing(
      Type.String({ description: 'What routes are looked up by; left out when the target is refused.' }),
    ),
    refused: orNothing(
      Type.String({
        description: 'The failure code of the answer the gateway would give itself.',
        examples: ['no_route'],
      }),
    ),
    route: orNothing(RouteStatusSchema),
    candidates: Type.Array(
      Type.Object({ route: Type.String(), chosen: Type.Boolean(), reason: Type.String() }),
      { description: 'Routes whose path is a prefix, longest first, and why each is or is not the one.' },
    ),
    sentPath: orNothing(Type.String({ description: 'The path sent to the backend.' })),
    service: orNothing(ServiceStatusSchema),
    choice: orNothing(
      Type.String({ description: 'The backend if that is certain, otherwise how it is drawn.' }),
    ),
  },
  { $id: 'Explanation', description: 'Why a request would go where it goes.' },
);
