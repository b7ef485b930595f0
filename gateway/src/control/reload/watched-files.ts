import { dirname, resolve } from 'node:path';
import type { Config } from '../config/schema.ts';

/** The config file and every file that the config names, each once. */
export function watchedFiles(configFile: string, config: Config): readonly string[] {
  const blocks = [config.defaults, ...Object.values(config.services)];
  const named = blocks.flatMap((block) => (block?.tls?.ca === undefined ? [] : [block.tls.ca]));
  return [...new Set([configFile, ...named.map((file) => resolve(dirname(configFile), file))])];
}
