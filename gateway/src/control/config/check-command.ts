import type { LoadOptions } from './load.ts';
import { formatProblem, loadConfig } from './load.ts';

export interface CheckCommandOptions extends LoadOptions {
  /** Takes text with its line breaks. */
  readonly write: (text: string) => void;
}

/** `portway check FILE`: prints every problem. Returns the exit code: 0 when the file is good, warnings aside. */
export function checkCommand(file: string, options: CheckCommandOptions): 0 | 1 {
  let text: string;
  try {
    text = options.readFile(file);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
    options.write(`${file}: cannot be read${code}\n`);
    return 1;
  }
  const loaded = loadConfig({ text, file }, options);
  for (const problem of loaded.ok ? loaded.warnings : loaded.problems)
    options.write(`${formatProblem(problem)}\n`);
  if (!loaded.ok) return 1;
  const { listeners, services, routes } = loaded.plan;
  const backends = services.reduce((sum, service) => sum + service.backends.length, 0);
  const parts = [
    counted(listeners.length, 'listener'),
    `${counted(services.length, 'service')} (${counted(backends, 'backend')})`,
    counted(routes.length, 'route'),
  ];
  options.write(`${file}: ok: ${parts.join(', ')}\n`);
  return 0;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
