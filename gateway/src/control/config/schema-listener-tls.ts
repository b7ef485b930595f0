import type { Static } from 'typebox';
import { Type } from 'typebox';
import { DEFAULTS } from './defaults.ts';
import { block, duration, durationOrOff, text } from './schema-values.ts';

const opt = Type.Optional;
const preset = DEFAULTS.listener.tls;
const TEN_YEARS_MS = 3650 * 86_400_000;

const Certificate = block('A certificate and its key, for the names in its subjectAltName.', {
  cert: text('file-path', 'PEM file of the certificate and the chain after it, relative to this file.'),
  key: text('file-path', 'PEM file of its private key, relative to this file.'),
});

const Hsts = Type.Union(
  [
    Type.Literal(false),
    duration('How long.', { minMs: 1000, maxMs: TEN_YEARS_MS }),
    block('Strict-Transport-Security, part by part.', {
      maxAge: durationOrOff('How long a browser keeps to https; 0 takes it back.', {
        minMs: 1000,
        maxMs: TEN_YEARS_MS,
      }),
      includeSubdomains: opt(Type.Boolean({ description: 'For subdomains too.', default: false })),
      preload: opt(Type.Boolean({ description: 'Asks for a place in browsers’ lists.', default: false })),
    }),
  ],
  {
    title: 'a duration such as 365d, { maxAge, includeSubdomains, preload }, or false',
    description: 'Tells browsers to come by https only (Strict-Transport-Security), for so long.',
    default: preset.hsts,
  },
);

/** TLS of a listener. */
export const ListenerTls = block('TLS for clients; left out, they come in the clear.', {
  certificates: Type.Array(Certificate, {
    description:
      'The certificates; the first is for clients that ask for a name none is for, or for no name.',
    minItems: 1,
    maxItems: 10_000,
  }),
  clientCa: opt(text('file-path', 'PEM file of the authorities whose client certificates are good.')),
  clientCertificate: opt(
    Type.Enum(['optional', 'required'], {
      description:
        'Whether a client without a good certificate is turned away; required where clientCa is given.',
    }),
  ),
  minVersion: opt(
    Type.Enum(['1.2', '1.3'], { description: 'The lowest version of TLS.', default: preset.minVersion }),
  ),
  hsts: opt(Hsts),
});

export type ListenerTlsConfig = Static<typeof ListenerTls>;
