import type { Environment } from '../../src/control/config/interpolate.ts';
import type { LoadedConfig } from '../../src/control/config/load.ts';
import { formatProblem, loadConfig } from '../../src/control/config/load.ts';
import type { Plan } from '../../src/data/plan.ts';

/** Loads text as `gw.yaml`; files are given by their absolute path. */
export function load(
  text: string,
  env: Environment = {},
  files: Readonly<Record<string, string>> = {},
  nowMs = Date.now(),
): LoadedConfig {
  const readFile = (path: string): string => {
    const content = Object.hasOwn(files, path) ? files[path] : undefined;
    if (content === undefined) throw Object.assign(new Error('not there'), { code: 'ENOENT' });
    return content;
  };
  return loadConfig({ text, file: '/etc/portway/gw.yaml' }, { env, readFile, nowMs });
}

/** Every problem or warning as `line:col: message`. */
export function complaints(loaded: LoadedConfig): readonly string[] {
  const problems = loaded.ok ? loaded.warnings : loaded.problems;
  return problems.map((problem) => formatProblem(problem).replace('/etc/portway/gw.yaml:', ''));
}

/** The plan of text that must be good. Throws with its problems when it is not. */
export function planOf(
  text: string,
  env: Environment = {},
  files: Readonly<Record<string, string>> = {},
): Plan {
  const loaded = load(text, env, files);
  if (!loaded.ok) throw new Error(complaints(loaded).join('\n'));
  return loaded.plan;
}
