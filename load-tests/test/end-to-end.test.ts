import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Report } from '../report/report.ts';
import { findK6, howToGetK6 } from '../runner/find-k6.ts';
import { type RunningDemo, startDemo } from './support/demo.ts';

const FOLDER = join(import.meta.dirname, '..');
const LAST_LINES = 4_000;

/** Runs a scenario as `npm run load` does, and reads the report it wrote. */
async function load(
  t: TestContext,
  demo: RunningDemo,
  scenario: string,
  env: Readonly<Record<string, string>>,
): Promise<{ readonly report: Report; readonly markdown: string; readonly output: string }> {
  const outFolder = mkdtempSync(join(tmpdir(), 'portway-load-'));
  t.after(() => rmSync(outFolder, { recursive: true, force: true }));
  const child = spawn(process.execPath, [join(FOLDER, 'bin', 'run.ts'), scenario, '--quiet'], {
    env: { ...process.env, ...demo.env, ...env, OUT_DIR: outFolder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.after(() => child.kill('SIGTERM'));
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (bytes: Buffer) => {
      output += String(bytes);
    });
  const [code] = await once(child, 'close');
  assert.equal(code, 0, `${scenario} ended with ${code}:\n${output}\n${demo.output().slice(-LAST_LINES)}`);
  const read = (extension: string) => readFileSync(join(outFolder, `${scenario}.${extension}`), 'utf8');
  return { report: JSON.parse(read('json')) as Report, markdown: read('md'), output };
}

test('the scenarios run against the real demo', { timeout: 115_000 }, async (t) => {
  const search = findK6({ env: process.env, ownFolder: join(FOLDER, '.k6') });
  // no skipping: a machine that cannot run the load tests has not tested them
  assert.ok(search.found !== undefined, search.found === undefined ? howToGetK6(search.looked) : '');
  const demo = await startDemo(t);

  await t.test('smoke: every kind of request is answered as expected', async (t) => {
    const { report, markdown } = await load(t, demo, 'smoke', { DURATION_SECONDS: '5', RATE: '30' });
    assert.ok(report.requests >= 150, `${report.requests} requests`);
    assert.equal(report.failed, 0);
    assert.ok(report.routes.length >= 8, JSON.stringify(report.routes));
    assert.match(markdown, /^# smoke: passed/);
  });

  await t.test('websocket: everybody hears what they say', async (t) => {
    const { report } = await load(t, demo, 'websocket', { DURATION_SECONDS: '3', RATE: '5' });
    assert.ok(report.chat !== undefined && report.chat.sessions >= 15, JSON.stringify(report.chat));
    assert.equal(report.chat.failed, 0);
  });

  await t.test('chaos: users see nothing of any fault', { timeout: 100_000 }, async (t) => {
    const { report } = await load(t, demo, 'chaos', { CHAOS_SECONDS: '3', RATE: '40' });
    assert.equal(report.failed, 0);
    assert.equal(report.faults.length, 5);
    assert.equal(report.timeline.length, 15, 'each fault at one backend of db, files and chat');
    // or the faults were not felt, and it proves nothing
    const killed = report.timeline.filter(
      ({ fault, noticedS }) => fault === 'kill' && noticedS !== undefined,
    );
    assert.ok(killed.length >= 1, JSON.stringify(report.timeline));
  });
});
