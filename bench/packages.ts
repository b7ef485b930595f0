import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OUT } from './session.ts';

/**
 * The rivals' packages, exact versions. They are installed into bench/out/peers on request and never as our own
 * dependencies: whoever clones Portway should not install five other proxies.
 * fast-gateway 5.0.1 asks for a version of fast-proxy-lite that was never published, so 3.4.7 is what users can get.
 */
const PEER_PACKAGES: Readonly<Record<string, string>> = {
  '@fastify/http-proxy': '11.6.3',
  fastify: '5.12.8',
  'fast-gateway': '3.4.7',
  'http-proxy-3': '2.0.1',
  httpxy: '0.5.6',
  undici: '8.12.4',
};

const FOLDER = join(OUT, 'peers');

/** The installed version of a peer's package; undefined when it is not installed. */
export function installedVersion(name: string): string | undefined {
  const manifest = join(FOLDER, 'node_modules', name, 'package.json');
  if (!existsSync(manifest)) return undefined;
  const parsed: unknown = JSON.parse(readFileSync(manifest, 'utf8'));
  return typeof parsed === 'object' && parsed !== null && 'version' in parsed
    ? String(parsed.version)
    : undefined;
}

/** Installs the rivals' packages with npm, without running their scripts. Throws when npm fails. */
export function installPeers(): void {
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(join(FOLDER, 'package.json'), JSON.stringify({ private: true, dependencies: PEER_PACKAGES }));
  const args = [
    'install',
    '--prefix',
    FOLDER,
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ];
  const run = spawnSync('npm', args, { stdio: ['ignore', 2, 2], timeout: 180_000 });
  if (run.status !== 0) throw new Error(`npm ${args.join(' ')} failed; its output above says why`);
}
