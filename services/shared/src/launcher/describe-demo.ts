import type { DemoMap, ServiceName } from './demo-map.ts';

const PATHS: readonly { readonly path: string; readonly service: ServiceName }[] = [
  { path: '/', service: 'web' },
  { path: '/db', service: 'db' },
  { path: '/files', service: 'files' },
  { path: '/chat', service: 'chat' },
];

/** What the user is told when everything runs. `url` is the gateway's, as it printed it. */
export function describeDemo(url: string, map: DemoMap): string {
  const base = reachable(url);
  const rows = PATHS.map(({ path, service }) => {
    const ports = map.instances.filter((instance) => instance.service === service).map(({ port }) => port);
    return `  ${`${base}${path}`.padEnd(base.length + 8)} -> ${service.padEnd(6)} ${ports.join(', ')}`;
  });
  return [
    '',
    'The demo runs:',
    ...rows,
    '',
    `  try:   curl -i ${base}/db/items`,
    `  chat:  ${base}/chat-page`,
    `  admin: ${reachable(map.adminUrl)}/api/v1/status`,
    '',
    'Ctrl-C stops everything.',
  ].join('\n');
}

/** `http://0.0.0.0:8080` is where it listens, not where one can go. */
function reachable(url: string): string {
  return url.replace(/\/$/, '').replace('://0.0.0.0:', '://127.0.0.1:').replace('://[::]:', '://[::1]:');
}
