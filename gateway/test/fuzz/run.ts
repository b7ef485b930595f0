import { parseArgs } from 'node:util';
import { Campaign } from './campaign.ts';
import { escapeText, saveFound } from './corpus.ts';
import { EXCEPTIONS, type Exception } from './exceptions.ts';
import { heapBytes } from './heap.ts';
import { type Failure, KINDS, type Kind } from './reading.ts';
import { Stream } from './stream.ts';
import { Watchdog } from './watchdog.ts';

/**
 * `npm run fuzz -- [--seconds N] [--cases N] [--seed S] [--from N] [--only requests|responses|bodies|stream]`.
 * Ends with 1 when anything failed; each kind of failure is printed minimised and kept in found/.
 */
const BATCH = 1_000;
const WARM_UP_CASES = 50_000;
const WARM_UP_CONNECTIONS = 300;
const MAX_GROWTH_BYTES = 24 * 1024 * 1024;
const HANG_MS = 10_000;
/** Of the time; a connection costs as much as fifty cases in process. */
const STREAM_SHARE = 0.2;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    cases: { type: 'string', default: 'Infinity' },
    seed: { type: 'string' },
    from: { type: 'string', default: '0' },
    only: { type: 'string' },
  },
});
if (values.only !== undefined && ![...KINDS, 'stream'].includes(values.only)) {
  throw new Error(`--only takes ${[...KINDS, 'stream'].join(', ')}`);
}
const seed = Number(values.seed ?? Date.now() % 2 ** 31);
const only = KINDS.find((kind) => kind === values.only);
const kinds: readonly Kind[] = only === undefined ? KINDS : [only];
const print = (line: string): boolean => process.stdout.write(`${line}\n`);
const limitMs = Number(values.seconds) * 1000;
const limitCases = Number(values.cases);
const from = Number(values.from);

print(`seed ${seed} (repeat with --seed ${seed})`);
const watchdog = new Watchdog(HANG_MS);
const campaign = new Campaign(seed, (input) => watchdog.watch(input));
let failed = false;
if (values.only !== 'stream') inProcess(only === undefined ? limitMs * (1 - STREAM_SHARE) : limitMs);
if (only === undefined) await onSockets(values.only === 'stream' ? limitMs : limitMs * STREAM_SHARE);
report();
await watchdog.stop();
print(failed ? 'FAILED' : 'no disagreement');
process.exitCode = failed ? 1 : 0;

/** Runs cases until either limit. */
function inProcess(forMs: number): void {
  const started = performance.now();
  let warmBytes: number | undefined;
  for (let index = from; campaign.cases < limitCases && performance.now() - started < forMs; index += BATCH) {
    const count = Math.ceil(Math.min(BATCH, (limitCases - campaign.cases) / kinds.length));
    for (const kind of kinds) campaign.run(kind, index, count);
    if (warmBytes === undefined && campaign.cases >= WARM_UP_CASES) warmBytes = heapBytes();
  }
  const seconds = (performance.now() - started) / 1000;
  const rate = Math.round(campaign.cases / seconds);
  print(`in process: ${campaign.cases} cases in ${seconds.toFixed(1)} s, ${rate} a second`);
  print(`  ${campaign.agreed} messages were accepted by both and read alike`);
  checkGrowth(warmBytes);
}

/** Runs connections until the time is up. */
async function onSockets(forMs: number): Promise<void> {
  const started = performance.now();
  const stream = await Stream.start();
  let warmBytes: number | undefined;
  let connections = 0;
  for (let index = from; connections < limitCases && performance.now() - started < forMs; index++) {
    for (const kind of KINDS) {
      const input = campaign.input(kind, index);
      watchdog.watch(input);
      const failure = await (kind === 'responses'
        ? stream.checkResponses(input)
        : stream.checkRequests(input));
      if (failure !== undefined) campaign.note(kind, failure, input, index);
      connections += 1;
    }
    if (warmBytes === undefined && connections >= WARM_UP_CONNECTIONS) warmBytes = heapBytes();
  }
  stream.stop();
  print(`on sockets: ${connections} connections in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  checkGrowth(warmBytes);
}

function checkGrowth(warmBytes: number | undefined): void {
  if (warmBytes === undefined) return;
  const grown = heapBytes() - warmBytes;
  print(`  the heap grew by ${(grown / 1024).toFixed(0)} KiB after the warm-up`);
  if (grown <= MAX_GROWTH_BYTES) return;
  failed = true;
  print(`  that is more than ${MAX_GROWTH_BYTES / 1024} KiB`);
}

/** Prints the exceptions made and every failure, minimised. */
function report(): void {
  for (const [name, times] of campaign.exceptions.counts) {
    print(`exception ${name}, ${times} times: ${EXCEPTIONS[name as Exception]}`);
  }
  for (const finding of campaign.findings.values()) {
    failed = true;
    const { kind, failure, index, times } = finding;
    const input = campaign.minimised(finding);
    const shown: Failure = campaign.check(kind, input, true) ?? failure;
    print(`\nFAILED ${kind}: ${failure.what} (${times} times; the first with --from ${index})`);
    print(`kept as found/${saveFound(kind, input, failure.what)}:`);
    print(escapeText(input));
    print(`ours   ${JSON.stringify(shown.ours)}`);
    print(`llhttp ${JSON.stringify(shown.llhttp)}\n`);
  }
}
