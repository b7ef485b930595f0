import { Type } from 'typebox';
import { DEFAULTS } from './defaults.ts';
import { block, count, duration, orOff, text } from './schema-values.ts';

const opt = Type.Optional;
const preset = DEFAULTS.listener.tunnel;

const ForwardProxyBlock = block(
  'What this listener does as a forward proxy: CONNECT, and requests for whole URLs, to what is listed and nowhere else.',
  {
    allow: Type.Array(
      text('tunnel-target', 'host, *.example.com, an IP address or a CIDR block, with its ports.'),
      {
        description:
          'Where to: host, *.example.com:443, 10.0.0.0/8:80,443, [::1]:8000-8100; the port is 443 when left out.',
        minItems: 1,
        maxItems: 10_000,
      },
    ),
    auth: opt(
      Type.Record(Type.String(), Type.String({ secret: true, minLength: 1, maxLength: 1024 }), {
        description: 'Who may, by name, with their passwords; left out, whoever can connect.',
        secret: true,
        propertyNames: { format: 'user-name' },
        minProperties: 1,
        maxProperties: 10_000,
      }),
    ),
    maxTunnels: opt(count('Tunnels at once.', 1, 1_000_000, preset.maxTunnels)),
    timeouts: opt(
      block('How long a tunnel may take.', {
        connect: opt(duration('To connect.', { default: preset.timeouts.connect })),
        idle: opt(duration('Longest silence of both sides.', { default: preset.timeouts.idle })),
      }),
    ),
  },
);

/** `tunnel` of a listener. */
export const ForwardProxy = orOff(ForwardProxyBlock);
