// `npm run load -- SCENARIO`: finds k6 and runs a scenario with it.
import { join } from 'node:path';
import { main } from '../runner/main.ts';

const folder = join(import.meta.dirname, '..');

process.exit(
  await main(process.argv.slice(2), {
    env: process.env,
    folder,
    ownFolder: join(folder, '.k6'),
    out: (text) => void process.stdout.write(`${text}\n`),
    say: (text) => void process.stderr.write(`${text}\n`),
  }),
);
