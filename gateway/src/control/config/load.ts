import type { Plan } from '../../data/plan.ts';
import type { ControlPlan } from '../control-plan.ts';
import { CheckContext } from './check-context.ts';
import { checkAdmin } from './check-control.ts';
import { checkLayers } from './check-layers.ts';
import { checkListeners } from './check-listeners.ts';
import { checkLogs } from './check-logs.ts';
import { checkNeeded } from './check-needed.ts';
import { checkRoutes } from './check-routes.ts';
import { checkBackends } from './check-services.ts';
import { checkServicesUsed } from './check-services-used.ts';
import { checkSettings } from './check-settings.ts';
import { checkShape } from './check-shape.ts';
import { compilePlan } from './compile.ts';
import { compileControl } from './compile-control.ts';
import type { Draft } from './draft.ts';
import type { Environment } from './interpolate.ts';
import type { Problem } from './problem.ts';
import { ProblemList } from './problem.ts';
import { readYaml } from './read-yaml.ts';
import type { Config } from './schema.ts';
import { ConfigSchema, KEY_HOMES } from './schema.ts';
import type { Shape } from './shape.ts';
import type { SourceNode } from './source-node.ts';
import { readTlsFiles } from './tls-files.ts';

export { formatProblem } from './problem.ts';

export type LoadedConfig =
  | {
      readonly ok: true;
      readonly plan: Plan;
      readonly control: ControlPlan;
      readonly config: Config;
      readonly warnings: readonly Problem[];
    }
  /** The problems hold the warnings too, in the order of the file. */
  | { readonly ok: false; readonly problems: readonly Problem[] };

export interface LoadOptions {
  readonly env: Environment;
  /** Reads a file that the config names (tls.ca, certificates, keys); what it throws becomes a problem. */
  readonly readFile: (path: string) => string;
  /** The wall clock, in milliseconds since 1970: certificates that have expired by then are no good. */
  readonly nowMs: number;
}

const LARGEST_BYTES = 5 * 1024 ** 2;

/**
 * Reads a config file's text and checks all of it; when nothing is wrong, compiles the deep-frozen plans.
 * Never throws for what the text holds.
 */
export function loadConfig(
  source: { readonly text: string; readonly file: string },
  options: LoadOptions,
): LoadedConfig {
  const problems = new ProblemList(source);
  if (Buffer.byteLength(source.text) > LARGEST_BYTES) {
    problems.error(0, 'the file is larger than 5 MiB');
    return { ok: false, problems: problems.sorted() };
  }
  const root = readYaml(source.text, options.env, problems);
  const broken = new Set<SourceNode>();
  const shapeContext = { problems, broken, homes: KEY_HOMES };
  // The schema is its own JSON Schema, and a draft is what checkShape leaves of the schema's type.
  const draft = checkShape(ConfigSchema as object as Shape, root, 'the config', shapeContext) as
    | Draft<Config>
    | undefined;
  const context = new CheckContext(root, draft ?? {}, problems, broken);
  checkNeeded(context);
  checkListeners(context);
  checkAdmin(context);
  checkLogs(context);
  checkBackends(context);
  checkSettings(context);
  checkRoutes(context);
  checkServicesUsed(context);
  checkLayers(context);
  const { readFile, nowMs } = options;
  const tlsFiles = readTlsFiles(context, { configFile: source.file, readFile, nowMs });
  if (problems.errorCount > 0) return { ok: false, problems: problems.sorted() };
  const config = deepFreeze(draft as Config);
  const plan = deepFreeze(compilePlan(config, tlsFiles));
  const control = deepFreeze(compileControl(config, source.file));
  return { ok: true, plan, control, config, warnings: problems.sorted() };
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const inner of Object.values(value)) deepFreeze(inner);
  return value;
}
