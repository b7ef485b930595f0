export type Request =
  | { readonly kind: 'list' }
  | { readonly kind: 'install' }
  | { readonly kind: 'bad'; readonly problem: string }
  | {
      readonly kind: 'run';
      readonly scenario: string;
      /** For k6, as they came. */
      readonly flags: readonly string[];
      /** Where Prometheus takes remote writes. */
      readonly remoteWriteUrl: string | undefined;
    };

const REMOTE_WRITE = '--prometheus-rw';
/** Where Prometheus takes them when only its address is given. */
const REMOTE_WRITE_PATH = '/api/v1/write';

/** Reads the command line of `npm run load`. `scenarios`: the names there are. */
export function readArguments(args: readonly string[], scenarios: readonly string[]): Request {
  const [scenario, ...rest] = args;
  if (scenario === undefined || scenario === '--help' || scenario === '-h') return { kind: 'list' };
  if (scenario === '--install-k6') {
    const more = rest[0];
    return more === undefined ? { kind: 'install' } : bad(`--install-k6 takes nothing more, not '${more}'`);
  }
  if (scenario.startsWith('-')) return bad(`the scenario comes first, then '${scenario}'`);
  if (!scenarios.includes(scenario)) return bad(`there is no scenario '${scenario}'`);
  const flags: string[] = [];
  let remoteWriteUrl: string | undefined;
  for (let index = 0; index < rest.length; index++) {
    const argument = rest[index] ?? '';
    if (argument !== REMOTE_WRITE && !argument.startsWith(`${REMOTE_WRITE}=`)) {
      flags.push(argument);
      continue;
    }
    const given = argument === REMOTE_WRITE ? rest[++index] : argument.slice(REMOTE_WRITE.length + 1);
    remoteWriteUrl = readRemoteWriteUrl(given);
    if (remoteWriteUrl === undefined)
      return bad(`${REMOTE_WRITE} takes the http(s) URL of a Prometheus, not '${given ?? ''}'`);
  }
  return { kind: 'run', scenario, flags, remoteWriteUrl };
}

function bad(problem: string): Request {
  return { kind: 'bad', problem };
}

function readRemoteWriteUrl(given: string | undefined): string | undefined {
  const url = given === undefined ? null : URL.parse(given);
  if (url === null || !/^https?:$/.test(url.protocol)) return undefined;
  if (url.pathname === '/') url.pathname = REMOTE_WRITE_PATH;
  return url.href;
}
