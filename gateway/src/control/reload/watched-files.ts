import { dirname, resolve } from 'node:path';
import type { Config } from '../config/schema.ts';

/** The config file and every file that the config names, each once. */
export function watchedFiles(configFile: string, config: Config): readonly string[] {
  const blocks = [config.defaults, ...Object.values(config.services ?? {})];
  const named = [
    ...blocks.map((block) => block?.tls?.ca),
    ...(config.listeners ?? []).flatMap(({ tls }) => [
      tls?.clientCa,
      ...(tls?.certificates ?? []).flatMap(({ cert, key }) => [cert, key]),
    ]),
  ];
  const paths = named.filter((file) => file !== undefined).map((file) => resolve(dirname(configFile), file));
  return [...new Set([configFile, ...paths])];
}
