import type { ExchangePhase } from '../../data/port.ts';
import { FAILURES, type FailureCode } from '../../errors.ts';

/** How an exchange ended, in two letters as HAProxy's first two, and in words. */
export interface Termination {
  /**
   * Who: `C` the client left, `c` it was too slow, `S` the backend failed or broke off, `s` it was too slow, `P` the gateway
   * refused, `R` for want of room, `I` failed itself, `-` nobody. Where: `R` reading the request, `Q` waiting for its turn,
   * `C` connecting, `H` waiting for the head of the answer, `D` passing the answer on, `-` complete.
   */
  readonly letters: string;
  readonly words: string;
}

const COMPLETE: Termination = { letters: '--', words: 'complete' };

const PHASES: Readonly<Record<ExchangePhase, readonly [letter: string, words: string]>> = {
  request: ['R', 'reading the request'],
  queue: ['Q', 'waiting for its turn'],
  connect: ['C', 'connecting'],
  head: ['H', 'waiting for the answer'],
  body: ['D', 'passing the answer on'],
};

const WHO: Readonly<Record<string, string>> = {
  C: 'the client left',
  c: 'the client was too slow',
  S: 'the backend failed',
  s: 'the backend was too slow',
  P: 'the gateway refused',
  R: 'the gateway had no room',
  I: 'the gateway failed',
};

/** Failures that tell by themselves who or where; what is left out is told by its fault and by the phase. */
const TOLD: { readonly [Code in FailureCode]?: { readonly who?: string; readonly phase?: ExchangePhase } } = {
  client_left: { who: 'C' },
  head_timeout: { who: 'c', phase: 'request' },
  body_timeout: { who: 'c' },
  connect_refused: { phase: 'connect' },
  connect_failed: { phase: 'connect' },
  connect_timeout: { who: 's', phase: 'connect' },
  dns_failed: { phase: 'connect' },
  tls_failed: { phase: 'connect' },
  tls_untrusted: { phase: 'connect' },
  no_backend: { phase: 'queue' },
  response_timeout: { who: 's', phase: 'head' },
  idle_timeout: { who: 's' },
  total_timeout: { who: 's' },
  bad_upgrade: { phase: 'head' },
  queue_full: { who: 'R', phase: 'queue' },
  queue_timeout: { who: 'R', phase: 'queue' },
  overloaded: { who: 'R', phase: 'queue' },
  admission_timeout: { who: 'R', phase: 'queue' },
  out_of_sockets: { who: 'R', phase: 'connect' },
  internal: { who: 'I' },
};

const BY_FAULT = { client: 'P', upstream: 'S', gateway: 'P' } as const;

/** @param phase where the exchange was */
export function terminationOf(failure: FailureCode | undefined, phase: ExchangePhase): Termination {
  if (failure === undefined) return COMPLETE;
  const { who = BY_FAULT[FAILURES[failure].fault], phase: told = phase } = TOLD[failure] ?? {};
  const [where, words] = PHASES[told];
  return { letters: who + where, words: `${WHO[who]}, ${words}` };
}
