/** Words people bring from nginx, HAProxy, Envoy, Traefik and Caddy, and what they are called here. */
const HABITS: ReadonlyMap<string, string> = new Map([
  ['upstreams', 'services'],
  ['clusters', 'services'],
  ['pools', 'services'],
  ['upstream', 'service'],
  ['cluster', 'service'],
  ['backend', 'service'],
  ['to', 'service'],
  ['servers', 'backends'],
  ['targets', 'backends'],
  ['endpoints', 'backends'],
  ['hosts', 'host'],
  ['domain', 'host'],
  ['prefix', 'path'],
  ['pathprefix', 'path'],
  ['location', 'path'],
  ['method', 'methods'],
  ['listen', 'address'],
  ['bind', 'address'],
  ['listener', 'listeners'],
  ['entrypoints', 'listeners'],
  ['server', 'listeners'],
  ['loadbalancer', 'balance'],
  ['lbpolicy', 'balance'],
  ['algorithm', 'balance'],
  ['policy', 'balance'],
  ['healthcheck', 'health'],
  ['healthchecks', 'health'],
  ['outlierdetection', 'ejection'],
  ['circuitbreaker', 'breaker'],
  ['retries', 'retry'],
  ['timeout', 'timeouts'],
  ['hedging', 'hedge'],
  ['inflight', 'concurrency'],
  ['inflightreq', 'concurrency'],
  ['shutdown', 'drain'],
  ['graceperiod', 'drain'],
  ['clientmaxbodysize', 'maxBodySize'],
  ['maxbody', 'maxBodySize'],
  ['add', 'set'],
  ['delete', 'remove'],
  ['logging', 'log'],
  ['logs', 'log'],
  ['accesslogs', 'accessLog'],
  ['telemetry', 'tracing'],
  ['opentelemetry', 'tracing'],
  ['otel', 'tracing'],
  ['traces', 'tracing'],
  ['filepath', 'path'],
  ['file', 'path'],
  ['output', 'path'],
  ['samplerate', 'sample'],
  ['sampling', 'sample'],
  ['samplingrate', 'sample'],
  ['fields', 'headers'],
  ['endpoint', 'otlp'],
  ['url', 'otlp'],
  ['collector', 'otlp'],
  ['warning', 'warn'],
  ['debug', 'info'],
  ['http2', 'h2'],
  ['http2s', 'h2'],
  ['grpc', 'h2c'],
  ['grpcs', 'h2'],
  ['ssl', 'tls'],
  ['https', 'tls'],
  ['certificate', 'certificates'],
  ['certs', 'certificates'],
  ['crt', 'cert'],
  ['privatekey', 'key'],
  ['cafile', 'clientCa'],
  ['mtls', 'clientCa'],
  ['clientauth', 'clientCertificate'],
  ['minprotocolversion', 'minVersion'],
  ['servername', 'sni'],
  ['servernames', 'sni'],
  ['acceptproxy', 'proxyProtocol'],
  ['websockets', 'webSocket'],
  ['upgrade', 'webSocket'],
  ['sendproxy', 'sendProxyProtocol'],
  ['connect', 'tunnel'],
  ['forwardproxy', 'tunnel'],
  ['tunnels', 'tunnel'],
  ['roundrobin', 'round-robin'],
  ['leastconn', 'least-pending'],
  ['leastconnections', 'least-pending'],
  ['leastrequest', 'least-pending'],
  ['iphash', 'hash'],
  ['consistenthash', 'hash'],
  ['maglev', 'hash'],
  ['ringhash', 'hash'],
]);

/** The one of `known` that was probably meant by `word`, or undefined. */
export function closest(word: string, known: Iterable<string>): string | undefined {
  const plain = plainForm(word);
  const habit = HABITS.get(plain);
  const most = word.length <= 3 ? 1 : word.length <= 6 ? 2 : 3;
  let best: string | undefined;
  let bestDistance = most + 1;
  for (const candidate of known) {
    if (plainForm(candidate) === plain) return candidate;
    if (Math.abs(candidate.length - word.length) >= bestDistance) continue;
    const distance = editDistance(word, candidate);
    if (distance < bestDistance && distance < candidate.length) {
      best = candidate;
      bestDistance = distance;
    }
  }
  // http2 is not a misspelled http1
  if ((bestDistance > 1 || habit?.startsWith('h2')) && habit !== undefined) {
    for (const candidate of known) if (candidate === habit) return habit;
  }
  return best;
}

function plainForm(word: string): string {
  return word.replace(/[-_ .]/g, '').toLowerCase();
}

/** Optimal string alignment: insertions, deletions, changes and swaps of neighbours each cost one. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let cost = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (same ? 0 : 1),
      );
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) cost = Math.min(cost, (beforeLast[column - 2] ?? 0) + 1);
      current.push(cost);
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length] ?? 0;
}
