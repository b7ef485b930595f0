import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Case, Protocol } from './cases.ts';
import type { Certificate } from './certificate.ts';
import { haproxyConfig, haproxyMap } from './configs/haproxy.ts';
import { nginxConfig } from './configs/nginx.ts';
import { hasStreamModule, nginxStreamConfig } from './configs/nginx-stream.ts';
import { portwayConfig } from './configs/portway.ts';
import { descriptorLimit } from './limits.ts';
import { installedVersion } from './packages.ts';
import { hasProgram } from './processes.ts';

/** What a peer needs to know to be started. */
interface Launch {
  /** Takes its config files. */
  readonly folder: string;
  readonly port: number;
  readonly adminPort: number;
  readonly backendPorts: readonly number[];
  readonly load: Case;
  readonly certificate: Certificate;
  /** Further flags for Node, for peers that run on it. */
  readonly nodeFlags: readonly string[];
}

/** One gateway that is measured. */
export interface Peer {
  readonly name: string;
  readonly about: string;
  supports(load: Case): boolean;
  /** What to install, when it cannot run here. */
  missing(): string | undefined;
  version(): string;
  /** Writes its config and returns the command that runs it in the foreground. */
  command(launch: Launch): readonly string[];
}

const asRoot = process.getuid?.() === 0;

function printedVersion(program: string): string {
  const run = spawnSync(program, ['-v'], { encoding: 'utf8', timeout: 5000 });
  return /\d+\.\d+\.\d+/.exec(`${run.stdout}${run.stderr}`)?.[0] ?? 'unknown';
}

function gitVersion(folder: string): string {
  const run = spawnSync('git', ['-C', folder, 'describe', '--always', '--dirty'], {
    encoding: 'utf8',
    timeout: 5000,
  });
  return run.status === 0 ? run.stdout.trim() : 'no commit';
}

/** A checkout of Portway; `command` replaces `node gateway/src/main.ts` of that folder. */
export function portwayPeer(name: string, folder: string, command: readonly string[] | undefined): Peer {
  const main = join(folder, 'gateway', 'src', 'main.ts');
  return {
    name,
    about: 'three backends, p2c, every default on (health, breaker, ejection, retries, metrics, limits)',
    supports: () => true,
    missing: () => (command !== undefined || existsSync(main) ? undefined : `${main} is not there`),
    version: () => gitVersion(folder),
    command: (launch) => {
      const config = join(launch.folder, `${name}.yaml`);
      const { port, adminPort, backendPorts, certificate, load } = launch;
      const { routes, protocol } = load;
      const maxBodySize = '10MiB';
      writeFileSync(
        config,
        portwayConfig({ port, adminPort, backendPorts, routes, maxBodySize, protocol, certificate }),
      );
      const program = command ?? [process.execPath, ...launch.nodeFlags, main];
      return [...program, 'start', '--config', config];
    },
  };
}

function nginxPeer(name: string, buffering: boolean): Peer {
  return {
    name,
    about: `one worker, three backends, random two least_conn, keepalive 128, buffering ${buffering ? 'on (its default)' : 'off'}`,
    supports: ({ protocol, bodyBytes }) => {
      if (protocol === 'tcp' || protocol === 'udp') return buffering && hasStreamModule();
      return buffering || bodyBytes > 0;
    },
    missing: () => (hasProgram('nginx') ? undefined : 'install nginx (Debian: apt-get install nginx-light)'),
    version: () => printedVersion('nginx'),
    command: ({ folder, port, backendPorts, certificate, load: { protocol, routes } }) => {
      const config = join(folder, `${name}.conf`);
      const common = { folder, port, backendPorts, asRoot };
      writeFileSync(
        config,
        protocol === 'tcp' || protocol === 'udp'
          ? nginxStreamConfig({ ...common, protocol })
          : nginxConfig({ ...common, buffering, routes, protocol, certificate }),
      );
      return ['nginx', '-e', join(folder, `${name}-start.log`), '-p', folder, '-c', config];
    },
  };
}

/** What the limit of open files leaves it, with 200 for its own; more than the benchmark needs is no use. */
const haproxyConnections = (): number => Math.min(16_000, Math.floor((descriptorLimit() - 200) / 2));

const haproxy: Peer = {
  name: 'haproxy',
  about: 'one thread, three backends, random(2), http-reuse always, no splice',
  supports: ({ protocol }) => protocol !== 'udp',
  missing: () => (hasProgram('haproxy') ? undefined : 'install haproxy (Debian: apt-get install haproxy)'),
  version: () => printedVersion('haproxy'),
  command: ({ folder, port, backendPorts, certificate, load: { protocol, routes } }) => {
    if (protocol === 'udp') throw new Error('HAProxy does not relay UDP');
    const config = join(folder, 'haproxy.cfg');
    const mapFile = routes === 1 ? undefined : join(folder, 'haproxy.map');
    if (mapFile !== undefined) writeFileSync(mapFile, haproxyMap(routes));
    const maxConnections = haproxyConnections();
    writeFileSync(
      config,
      haproxyConfig({ port, backendPorts, mapFile, maxConnections, protocol, certificate }),
    );
    return ['haproxy', '-db', '-f', config];
  },
};

function nodePeer(
  name: string,
  packageName: string,
  about: string,
  protocols: readonly Protocol[] = ['http', 'https', 'h2'],
): Peer {
  return {
    name,
    about,
    // none of them has a route table worth ten thousand entries
    supports: ({ routes, protocol }) => routes === 1 && protocols.includes(protocol),
    missing: () =>
      installedVersion(packageName) === undefined
        ? `package ${packageName} is not installed: npm run bench -- --install-peers`
        : undefined,
    version: () => installedVersion(packageName) ?? 'unknown',
    command: ({ port, backendPorts, certificate: { cert, key }, load: { protocol }, nodeFlags }) => {
      const program = join(import.meta.dirname, 'peers', `${name}.ts`);
      const backends = backendPorts.map(String);
      return [process.execPath, ...nodeFlags, program, String(port), protocol, cert, key, ...backends];
    },
  };
}

/** Every peer that Portway is compared with, in the order of the tables. */
export const RIVALS: readonly Peer[] = [
  nginxPeer('nginx', true),
  nginxPeer('nginx-unbuffered', false),
  haproxy,
  nodePeer('node-undici', 'undici', 'bare node:http server and undici Pools, round robin'),
  nodePeer('fast-gateway', 'fast-gateway', 'one backend (it does not balance), keep-alive agent', ['http']),
  nodePeer('httpxy', 'httpxy', 'keep-alive agent, round robin by its caller'),
  nodePeer('http-proxy-3', 'http-proxy-3', 'keep-alive agent, round robin by its caller'),
  nodePeer('fastify-http-proxy', '@fastify/http-proxy', 'undici, round robin by getUpstream'),
];
