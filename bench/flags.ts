import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

/** How the benchmark was asked to run. */
export interface Flags {
  /** Names of cases; empty is all. */
  readonly cases: readonly string[];
  /** Names of peers; empty is all. */
  readonly peers: readonly string[];
  readonly rounds: number;
  /** Whole seconds of measured load, and of warm-up before it. */
  readonly seconds: number;
  readonly warmupSeconds: number;
  readonly profile: boolean;
  readonly perf: boolean;
  readonly write: boolean;
  readonly installPeers: boolean;
  readonly help: boolean;
  /** Another checkout of Portway, measured as `portway-base`. */
  readonly base: string | undefined;
  /** Replaces `node gateway/src/main.ts`. */
  readonly gatewayCommand: readonly string[] | undefined;
}

/** The text of --help. */
export const USAGE = `npm run bench -- [flags]
  --cases a,b        only these cases (small down64k down1m up64k conns1000 newconn routes10k
                     tls h2 websocket tcp udp)
  --peers a,b        only these peers (portway nginx nginx-unbuffered haproxy node-undici fast-gateway httpxy
                     http-proxy-3 fastify-http-proxy, and portway-base with --base)
  --rounds N         interleaved rounds (5)
  --seconds N        measured seconds of each (5)
  --warmup N         seconds of load before them (2)
  --quick            one round of one second, the small case unless --cases says otherwise
  --base DIR         measures another checkout of Portway beside this one, as portway-base
  --gateway-command "CMD"   runs this instead of node gateway/src/main.ts; start --config FILE is added
  --profile          profiles Portway under each case instead of measuring; writes to bench/out
  --perf             the same with Linux perf, which sees the kernel too
  --write            writes bench/results/latest.json and the numbers in README.md
  --install-peers    installs the Node peers' packages into bench/out/peers first`;

const list = (text: string | undefined): readonly string[] =>
  text?.split(',').filter((each) => each !== '') ?? [];

function wholeNumber(name: string, text: string | undefined, usual: number): number {
  const value = text === undefined ? usual : Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 600)
    throw new Error(`--${name} wants a whole number from 1 to 600`);
  return value;
}

/** Reads the command line. Throws an Error with a message for the user when it is wrong. */
export function parseFlags(args: readonly string[]): Flags {
  const text = { type: 'string' } as const;
  const yes = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      cases: text,
      peers: text,
      rounds: text,
      seconds: text,
      warmup: text,
      base: text,
      'gateway-command': text,
      quick: yes,
      profile: yes,
      perf: yes,
      write: yes,
      'install-peers': yes,
      help: yes,
    },
  });
  const { quick } = values;
  const cases = list(values.cases);
  return {
    cases: quick && cases.length === 0 ? ['small'] : cases,
    peers: list(values.peers),
    rounds: wholeNumber('rounds', values.rounds, quick ? 1 : 5),
    seconds: wholeNumber('seconds', values.seconds, quick ? 1 : 5),
    warmupSeconds: wholeNumber('warmup', values.warmup, quick ? 1 : 2),
    profile: values.profile,
    perf: values.perf,
    write: values.write,
    installPeers: values['install-peers'],
    help: values.help,
    base: values.base === undefined ? undefined : resolve(values.base),
    gatewayCommand: values['gateway-command']?.split(' ').filter((each) => each !== ''),
  };
}
