/** docker-compose.yml as it is written, for tests that ask what can be known of the stack without docker. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

export interface ComposeService {
  readonly image?: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly command?: readonly string[];
  readonly user?: string;
  readonly read_only?: boolean;
  readonly init?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly mem_limit?: string;
  readonly pids_limit?: number;
  readonly cpus?: number;
  readonly profiles?: readonly string[];
  readonly environment?: Readonly<Record<string, string | number>>;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: Readonly<Record<string, unknown>>;
  readonly stop_grace_period?: string;
}

export interface Compose {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

export const ROOT = join(import.meta.dirname, '..', '..', '..');

/** A file of the repository, by its path from the top. */
export const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

export const compose = parse(read('docker-compose.yml'), { merge: true }) as Compose;
export const services = Object.entries(compose.services);

/** Throws when there is none of that name. */
export function service(name: string): ComposeService {
  const found = compose.services[name];
  assert.ok(found, `there is no service ${name}`);
  return found;
}

/** The demo services, by name. */
export const demo = services.filter(([, { build }]) => build?.dockerfile === 'services/Dockerfile');
export const dockerfiles = [...new Set(services.flatMap(([, { build }]) => build?.dockerfile ?? []))];

/** The file here that a container sees at a path, through a mount; undefined where nothing is mounted. */
export function mounted({ volumes = [] }: ComposeService, path: string): string | undefined {
  for (const [source = '', target = ''] of volumes.map((volume) => volume.split(':')))
    if (source.startsWith('./') && path.startsWith(`${target}/`))
      return join(source, path.slice(target.length));
  return undefined;
}
