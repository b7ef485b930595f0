import { isIP } from 'node:net';
import { parseArgs } from 'node:util';
import type { Plan } from '../data/plan.ts';
import type { ExplainQuestion, Explanation } from '../data/port.ts';
import { adminUrl, askGateway } from './admin/ask-gateway.ts';
import { type RawQuestion, readQuestion } from './admin/explain-question.ts';
import { EMBEDDED_CONFIG } from './config/embedded.ts';
import { formatProblem, type LoadedConfig, type LoadOptions, loadConfig } from './config/load.ts';
import type { AdminPlan } from './control-plan.ts';
import { explanationText } from './explain-text.ts';

export interface ExplainCommandDeps extends LoadOptions {
  /** Takes text with its line breaks. */
  readonly write: (text: string) => void;
  readonly fetch?: typeof globalThis.fetch;
  /** Answers from a plan alone, without anything known of its backends. */
  readonly offline: (plan: Plan) => (question: ExplainQuestion) => Explanation;
}

export const EXPLAIN_USAGE = `Usage: portway explain METHOD URL [-H 'Name: value']... [--config FILE] [--client-ip IP] [--json]
`;

interface Request extends RawQuestion {
  readonly config: string | undefined;
  readonly json: boolean;
}

/**
 * `portway explain`: where a request would go and why, by the running gateway if one answers at the config's admin address.
 * Returns the exit code: 0 when it goes somewhere, 1 when the config is wrong, 2 for wrong usage, 3 when it is refused.
 */
export async function explainCommand(
  args: readonly string[],
  deps: ExplainCommandDeps,
): Promise<0 | 1 | 2 | 3> {
  const request = readArguments(args);
  const read = typeof request === 'string' ? { ok: false as const, detail: request } : readQuestion(request);
  if (typeof request === 'string' || !read.ok) {
    deps.write(`portway explain: ${read.ok ? '' : read.detail}\n${EXPLAIN_USAGE}`);
    return 2;
  }
  const { question } = read;
  const loaded = load(request.config, deps);
  if (loaded === undefined) return 1;
  const answer = await ask(loaded.control.admin, question, deps.fetch ?? fetch);
  const explanation = answer.explanation ?? deps.offline(loaded.plan)(question);
  deps.write(
    request.json
      ? `${JSON.stringify({ source: answer.source, ...explanation }, undefined, 2)}\n`
      : explanationText(question, answer.source, explanation),
  );
  return explanation.refused === undefined ? 0 : 3;
}

/** What was asked for, or what is wrong with it. */
function readArguments(args: readonly string[]): Request | string {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(args);
  } catch (error) {
    return (error as Error).message;
  }
  const [method, url, ...more] = parsed.positionals;
  if (method === undefined || url === undefined || more.length > 0) return 'it takes one METHOD and one URL';
  const { header: headers = [], config, json = false, 'client-ip': clientIp = '127.0.0.1' } = parsed.values;
  if (isIP(clientIp) === 0) return `--client-ip: ${clientIp} is not an IP address`;
  return { method: method.toUpperCase(), url, headers, clientIp, config, json };
}

function parse(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      header: { type: 'string', short: 'H', multiple: true },
      config: { type: 'string', short: 'c' },
      'client-ip': { type: 'string' },
      json: { type: 'boolean' },
    },
  });
}

/** Undefined: it is wrong, and what is wrong is written. */
function load(
  file: string | undefined,
  deps: ExplainCommandDeps,
): Extract<LoadedConfig, { ok: true }> | undefined {
  let text = EMBEDDED_CONFIG;
  if (file !== undefined) {
    try {
      text = deps.readFile(file);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
      deps.write(`${file}: cannot be read${code}\n`);
      return undefined;
    }
  }
  const loaded = loadConfig({ text, file: file ?? '(embedded config)' }, deps);
  if (loaded.ok) return loaded;
  for (const problem of loaded.problems) deps.write(`${formatProblem(problem)}\n`);
  return undefined;
}

async function ask(
  admin: AdminPlan | undefined,
  question: ExplainQuestion,
  fetch: typeof globalThis.fetch,
): Promise<{ readonly source: string; readonly explanation?: Explanation }> {
  const alone = 'answered from the config alone';
  if (admin === undefined) return { source: `${alone}: it has no admin address` };
  const url = adminUrl(admin);
  if (url === undefined) return { source: `${alone}: its admin port is not fixed` };
  const explanation = await askGateway(url, question, fetch);
  return explanation === undefined
    ? { source: `${alone}: no gateway answers at ${url}` }
    : { source: `asked the gateway at ${url}`, explanation };
}
