import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Scenario {
  readonly name: string;
  /** The comment its file begins with. */
  readonly description: string;
}

/** The scenarios in a folder: every file is one. */
export function listScenarios(folder: string): readonly Scenario[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.ts'))
    .sort()
    .map((file) => {
      const [, description = ''] = /^\/\/ (.*)/.exec(readFileSync(join(folder, file), 'utf8')) ?? [];
      return { name: file.slice(0, -'.ts'.length), description };
    });
}
