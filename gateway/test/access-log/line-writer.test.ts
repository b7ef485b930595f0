import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { LineWriter, type LineWriterDeps } from '../../src/control/access-log/line-writer.ts';
import { LogFile } from '../../src/control/access-log/log-file.ts';
import { systemClock } from '../../src/time.ts';
import { eventually } from '../relay/gateway-in-test.ts';
import { scratch } from './logged-gateway.ts';

function listening(maxBytes?: number): LineWriterDeps & { readonly said: string[] } {
  const said: string[] = [];
  const log: LineWriterDeps['log'] = (level, message) => void said.push(`${level}: ${message}`);
  return { clock: systemClock, name: 'log', log, said, ...(maxBytes === undefined ? {} : { maxBytes }) };
}

const line = (index: number, length = 100): string =>
  `${JSON.stringify({ index, filler: 'x'.repeat(length) })}\n`;

const indexes = (text: string): readonly number[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map((one) => (JSON.parse(one) as { readonly index: number }).index);

const range = (end: number): readonly number[] => Array.from({ length: end }, (_, index) => index);

/** A named pipe whose reader does not read yet. */
function fifo(t: TestContext): { readonly path: string; readonly reader: number } {
  const path = join(scratch(t), 'pipe');
  execFileSync('mkfifo', [path]);
  return { path, reader: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK) };
}

/** Reads the pipe from now on. */
function drain(t: TestContext, reader: number): { readonly text: () => string } {
  let text = '';
  const socket = new Socket({ fd: reader, readable: true, writable: false });
  t.after(() => socket.destroy());
  socket.setEncoding('utf8').on('data', (part) => {
    text += part;
  });
  return { text: () => text };
}

test('lines are written whole and in order', async (t) => {
  const path = join(scratch(t), 'log');
  writeFileSync(path, line(-1));
  const file = new LogFile(path, listening());
  for (let index = 0; index < 5_000; index++) file.lines.write(line(index));
  await file.close();
  assert.deepEqual(indexes(readFileSync(path, 'utf8')), [-1, ...range(5_000)]);
  assert.equal(file.lines.dropped, 0);
});

test('a line that is longer than a batch is written whole too', async (t) => {
  const path = join(scratch(t), 'log');
  const file = new LogFile(path, listening());
  const lengths = [10, 200_000, 10, 65_000, 70_000, 10];
  for (const [index, length] of lengths.entries()) file.lines.write(line(index, length));
  await file.close();
  assert.deepEqual(indexes(readFileSync(path, 'utf8')), range(lengths.length));
});

test('a few lines are written soon, without waiting for more', async (t) => {
  const path = join(scratch(t), 'log');
  const file = new LogFile(path, listening());
  t.after(() => file.close());
  file.lines.write(line(0));
  await eventually(() => readFileSync(path, 'utf8') === line(0));
});

test('a reader that is stuck costs lines and a bounded memory, never the writer’s time', async (t) => {
  const { path, reader } = fifo(t);
  const deps = listening(256 * 1024);
  const file = new LogFile(path, deps);
  const written = 20_000;
  for (let index = 0; index < written; index++) {
    file.lines.write(line(index));
    assert.ok(file.lines.waitingBytes <= 256 * 1024);
    if (index % 1_000 === 0) await new Promise(setImmediate);
  }
  assert.ok(file.lines.dropped > 10_000, String(file.lines.dropped));
  assert.equal(deps.said.length, 1);
  assert.match(deps.said[0] ?? '', /^warn: log: lines are lost \(.*\); requests are not affected$/);
  const { text } = drain(t, reader);
  // it goes on where it stopped: what waited comes whole and in order, and new lines after it
  await eventually(() => file.lines.waitingBytes === 0);
  file.lines.write(line(written));
  await file.close();
  await eventually(() => text().includes(`"index":${written},`));
  const read = indexes(text());
  assert.deepEqual(
    read,
    [...read].sort((a, b) => a - b),
  );
  assert.equal(read.length + file.lines.dropped, written + 1);
  assert.match(deps.said[1] ?? '', /^info: log: lines are written again; lost so far: \d+$/);
  assert.equal(deps.said.length, 2);
});

test('the end does not wait long for a reader that is stuck, and counts what was lost', async (t) => {
  const { path, reader } = fifo(t);
  t.after(() => closeSync(reader));
  const file = new LogFile(path, listening());
  for (let index = 0; index < 5_000; index++) file.lines.write(line(index));
  await file.close();
  assert.ok(file.lines.dropped > 1_000);
  file.lines.write(line(0));
  assert.equal(file.lines.waitingBytes, 0);
});

test('a disk that is full is said once, and lines are dropped', {
  skip: process.platform !== 'linux',
}, async () => {
  const deps = listening(200_000);
  const fd = openSync('/dev/full', 'w');
  const lines = new LineWriter(fd, deps);
  for (let index = 0; index < 5_000; index++) lines.write(line(index));
  await eventually(() => deps.said.length > 0);
  for (let index = 0; index < 5_000; index++) lines.write(line(index));
  await lines.close();
  closeSync(fd);
  assert.ok(lines.dropped > 5_000);
  assert.equal(deps.said.length, 1);
});

test('a file that is moved away is let go when it is opened anew, and no line is lost or broken', async (t) => {
  const path = join(scratch(t), 'log');
  const file = new LogFile(path, listening());
  let next = 0;
  for (let rotation = 1; rotation <= 3; rotation++) {
    for (let i = 0; i < 3_000; i++) file.lines.write(line(next++));
    renameSync(path, `${path}.${rotation}`);
    file.reopen();
    for (let i = 0; i < 3_000; i++) file.lines.write(line(next++));
    await eventually(() => readFileSync(path, { encoding: 'utf8', flag: 'a+' }).length > 0);
  }
  await file.close();
  const all = ['.1', '.2', '.3', ''].flatMap((end) => indexes(readFileSync(path + end, 'utf8')));
  assert.deepEqual(all, range(next));
});

test('of a line that is stuck halfway the rest is left out where the file changes under it', async (t) => {
  const { path, reader } = fifo(t);
  const lines = new LineWriter(openSync(path, constants.O_WRONLY | constants.O_NONBLOCK), listening());
  // more than a pipe takes at once
  for (const [index, length] of [10, 100_000, 10].entries()) lines.write(line(index, length));
  lines.flush();
  await new Promise((resolve) => setTimeout(resolve, 50));
  const file = join(scratch(t), 'log');
  lines.moveTo(openSync(file, 'a'), closeSync);
  const fd = await lines.close();
  if (fd !== undefined) closeSync(fd);
  const { text } = drain(t, reader);
  await eventually(() => text().includes('"index":1,'));
  assert.deepEqual(indexes(readFileSync(file, 'utf8')), [2]);
  assert.equal(lines.dropped, 1);
});

test('descriptors are given back, once, however often it is opened anew and closed', async (t) => {
  const folder = scratch(t);
  const open = (): number => readdirSync('/proc/self/fd').length;
  const before = open();
  const file = new LogFile(join(folder, 'log'), listening());
  for (let i = 0; i < 20; i++) file.reopen();
  file.lines.write(line(1));
  await eventually(() => readFileSync(join(folder, 'log'), 'utf8') !== '' && open() === before + 1);
  file.reopen();
  await Promise.all([file.close(), file.close()]);
  await eventually(() => open() === before);
  // what has the same number by now is another's
  const others = Array.from({ length: 50 }, () => openSync(folder, 'r'));
  await file.close();
  await new Promise((resolve) => setTimeout(resolve, 20));
  for (const fd of others) closeSync(fd);
});

test('where it cannot be opened anew, the old file stays', async (t) => {
  const folder = scratch(t);
  const path = join(folder, 'log');
  const deps = listening();
  const file = new LogFile(path, deps);
  renameSync(path, join(folder, 'old'));
  execFileSync('mkdir', [path]);
  file.reopen();
  await eventually(() => deps.said.length > 0);
  assert.match(deps.said[0] ?? '', /^error: log: cannot open .*\/log \(EISDIR\); the old file stays in use$/);
  file.lines.write(line(7));
  await file.close();
  assert.deepEqual(indexes(readFileSync(join(folder, 'old'), 'utf8')), [7]);
});

test('a file that cannot be opened, and a pipe that nobody reads, are told at once', (t) => {
  const folder = scratch(t);
  assert.throws(
    () => new LogFile(join(folder, 'none', 'log'), listening()),
    /^Error: log: cannot open .* \(ENOENT\)$/,
  );
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  assert.throws(() => new LogFile(join(folder, 'pipe'), listening()), /\(ENXIO\)$/);
});
