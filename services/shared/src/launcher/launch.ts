import { Demo } from './demo.ts';
import type { readDemoMap } from './demo-map.ts';
import { describeDemo } from './describe-demo.ts';
import { portProblems } from './ports.ts';

export interface LaunchOptions {
  readonly map: ReturnType<typeof readDemoMap>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The gateway's main file. */
  readonly gatewayEntry: string;
}

/** One Ctrl-C can arrive twice, from the terminal and passed on by npm; a second within this time is the same one. */
const SAME_SIGNAL_MS = 500;

/** Runs the whole demo in this process's name until it is told to stop; resolves with the code to exit with. */
export async function launch({ map, env, gatewayEntry }: LaunchOptions): Promise<number> {
  // a reader that went away (`npm start | head`) must not end us before we have ended the children
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  const say = (line: string, to: 'stdout' | 'stderr' = 'stdout') => void process[to].write(`${line}\n`);
  const problems = 'problems' in map ? map.problems : await portProblems(map.needs);
  if ('problems' in map || problems.length > 0) {
    for (const problem of problems) say(problem, 'stderr');
    return 1;
  }
  const demo = new Demo({ map, gatewayEntry, env, say });
  stopOnSignals(demo, say);
  const url = await demo.start();
  if (url !== undefined) say(describeDemo(url, map));
  return demo.ended;
}

function stopOnSignals(demo: Demo, say: (line: string) => void): void {
  let firstAtMs: number | undefined;
  const onSignal = () => {
    const nowMs = performance.now();
    if (firstAtMs === undefined) {
      firstAtMs = nowMs;
      say('stopping; once more to kill everything');
      demo.stop(0);
    } else if (nowMs - firstAtMs > SAME_SIGNAL_MS) demo.kill();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  // the end of a parent that started us with an IPC channel
  process.on('disconnect', onSignal);
}
