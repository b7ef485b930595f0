import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generatedFiles } from './generated-files.ts';

// Writes the dashboards, the rules, their tests and docs/metrics.md. With --check it writes nothing, and exits 1 when one
// of them is not as it would be written.

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const args = process.argv.slice(2);
const checking = args[0] === '--check';
if (args.length > (checking ? 1 : 0)) {
  process.stderr.write('usage: node grafana/src/generate.ts [--check]\n');
  process.exit(2);
}
const stale = generatedFiles().filter(
  ({ path, text }) => !existsSync(join(ROOT, path)) || readFileSync(join(ROOT, path), 'utf8') !== text,
);
for (const { path, text } of stale) {
  if (!checking) {
    mkdirSync(dirname(join(ROOT, path)), { recursive: true });
    writeFileSync(join(ROOT, path), text);
  }
  process.stdout.write(`${path} ${checking ? 'is out of date' : 'written'}\n`);
}
if (checking && stale.length > 0) {
  process.stdout.write('run: node grafana/src/generate.ts\n');
  process.exitCode = 1;
}
