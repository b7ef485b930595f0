import type { ScenarioName } from '../thresholds.ts';
import type { Env } from '../traffic/environment.ts';
import type { K6Data } from './k6-data.ts';
import { toMarkdown } from './markdown.ts';
import { readReport } from './report.ts';

/**
 * k6's handleSummary: what it is to print and to write, by path. The report goes to stdout, and as
 * `<scenario>.md` and `<scenario>.json` into the folder OUT_DIR, which must exist; without OUT_DIR no file is written.
 */
export function summaryOf(scenario: ScenarioName, env: Env): (data: K6Data) => Record<string, string> {
  return (data) => {
    const report = readReport(scenario, data);
    const markdown = toMarkdown(report);
    const folder = env['OUT_DIR'];
    const printed = { stdout: `\n${markdown}` };
    if (folder === undefined || folder === '') return printed;
    return {
      ...printed,
      [`${folder}/${scenario}.md`]: markdown,
      [`${folder}/${scenario}.json`]: `${JSON.stringify(report, null, 2)}\n`,
    };
  };
}
