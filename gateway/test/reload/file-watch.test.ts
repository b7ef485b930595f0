import assert from 'node:assert/strict';
import {
  appendFile,
  chmod,
  mkdir,
  rename,
  rm,
  rmdir,
  symlink,
  truncate,
  unlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { type Watching, watching } from './watching.ts';

const LONG_AGO = new Date('2020-01-01T00:00:00Z');

/** A watch on a file that says `old`. */
async function onFile(t: TestContext, wallOffsetMs?: number): Promise<Watching & { readonly file: string }> {
  const stage = await watching(t, wallOffsetMs);
  const file = join(stage.folder, 'portway.yaml');
  await writeFile(file, 'old');
  await stage.watch.watch([file]);
  return { ...stage, file };
}

suite('a watched file', () => {
  test('that nobody touches is never told', async (t) => {
    const { look, changes, said } = await onFile(t);
    await look(4);
    assert.equal(changes(), 0);
    assert.deepEqual(said, []);
  });

  test('that is written is told once, at the second look that sees it so', async (t) => {
    const { file, look, changes } = await onFile(t);
    await writeFile(file, 'newer');
    await look(1);
    assert.equal(changes(), 0);
    await look(1);
    assert.equal(changes(), 1);
    await look(3);
    assert.equal(changes(), 1);
  });

  test('that is replaced by a rename, as editors do, is told', async (t) => {
    const { file, folder, look, changes } = await onFile(t);
    for (const [index, text] of ['new', 'odd'].entries()) {
      await writeFile(join(folder, 'temporary'), text);
      // the size and the time are the old ones: only the inode is not
      await utimes(join(folder, 'temporary'), LONG_AGO, LONG_AGO);
      await rename(join(folder, 'temporary'), file);
      await look(2);
      assert.equal(changes(), index + 1);
    }
  });

  test('behind a folder that is swapped by its symlink, as Kubernetes does, is told', async (t) => {
    const { folder, watch, look, changes } = await watching(t);
    for (const [name, text] of [
      ['one', 'old'],
      ['two', 'new'],
    ] as const) {
      await mkdir(join(folder, name));
      await writeFile(join(folder, name, 'portway.yaml'), text);
    }
    await symlink('one', join(folder, '..data'));
    await symlink('..data/portway.yaml', join(folder, 'portway.yaml'));
    await watch.watch([join(folder, 'portway.yaml')]);
    await symlink('two', join(folder, 'temporary'));
    await rename(join(folder, 'temporary'), join(folder, '..data'));
    await rm(join(folder, 'one'), { recursive: true });
    await look(2);
    assert.equal(changes(), 1);
  });

  test('that is emptied and written in steps is told when it stands still', async (t) => {
    const { file, look, changes } = await onFile(t);
    await truncate(file);
    await look(1);
    await appendFile(file, 'services:');
    await look(1);
    await appendFile(file, ' {}');
    await look(1);
    assert.equal(changes(), 0);
    await look(1);
    assert.equal(changes(), 1);
  });

  test('that is touched, or written with the same text, is not told', async (t) => {
    const { file, look, changes } = await onFile(t);
    await utimes(file, LONG_AGO, LONG_AGO);
    await look(3);
    await writeFile(file, 'old');
    await look(3);
    assert.equal(changes(), 0);
  });

  test('that is changed and changed back while it is looked at is not told', async (t) => {
    const { file, look, changes } = await onFile(t);
    await writeFile(file, 'new');
    await look(1);
    await writeFile(file, 'old');
    await look(3);
    assert.equal(changes(), 0);
  });

  test('written twice within the file system’s second is told, though no stat shows it', async (t) => {
    const { file, look, changes } = await onFile(t, 0);
    const second = new Date(Math.floor(Date.now() / 1000) * 1000);
    await writeFile(file, 'new');
    await utimes(file, second, second);
    await look(2);
    assert.equal(changes(), 1);
    for (const half of ['od-', 'odd']) {
      await writeFile(file, half);
      await utimes(file, second, second);
      await look(1);
    }
    assert.equal(changes(), 1, 'the content did not stand still');
    await look(1);
    assert.equal(changes(), 2);
  });
});

suite('a file that cannot be read', () => {
  test('because it is gone is one warning, and its return with new content is a change', async (t) => {
    const { file, look, changes, said } = await onFile(t);
    await unlink(file);
    await look(3);
    const gone = 'warn config: portway.yaml cannot be read (ENOENT): the config in force stays';
    assert.deepEqual(said, [gone]);
    assert.equal(changes(), 0);
    await writeFile(file, 'new');
    await look(3);
    assert.deepEqual(said, [gone, 'info config: portway.yaml can be read again']);
    assert.equal(changes(), 1);
  });

  test('and returns as it was is no change', async (t) => {
    const { file, look, changes } = await onFile(t);
    await unlink(file);
    await look(2);
    await writeFile(file, 'old');
    await look(3);
    assert.equal(changes(), 0);
  });

  test('from the start is watched all the same', async (t) => {
    const { folder, watch, look, changes, said } = await watching(t);
    const file = join(folder, 'portway.yaml');
    await watch.watch([file]);
    await look(2);
    assert.equal(said.length, 1);
    await writeFile(file, 'new');
    await look(2);
    assert.equal(changes(), 1);
  });

  test('because something else stands there is a warning', async (t) => {
    const { file, look, changes, said } = await onFile(t);
    await unlink(file);
    await mkdir(file);
    await look(2);
    await rmdir(file);
    await symlink('portway.yaml', file);
    await look(2);
    assert.deepEqual(said, [
      'warn config: portway.yaml cannot be read (not a regular file): the config in force stays',
      'warn config: portway.yaml cannot be read (ELOOP): the config in force stays',
    ]);
    assert.equal(changes(), 0);
  });

  test('for want of permission is a warning until it may be read', async (t) => {
    const { folder, file, look, changes, said } = await onFile(t);
    await writeFile(file, 'new');
    await chmod(file, 0o000);
    await unprivileged(folder, () => look(3));
    assert.deepEqual(said, ['warn config: portway.yaml cannot be read (EACCES): the config in force stays']);
    assert.equal(changes(), 0);
    await chmod(file, 0o644);
    await look(2);
    assert.equal(changes(), 1);
  });
});

/** For root nothing is forbidden: what it does is done as somebody else. */
async function unprivileged(folder: string, act: () => Promise<void>): Promise<void> {
  if (process.getuid?.() !== 0) return act();
  await chmod(folder, 0o755);
  process.seteuid?.(65_534);
  try {
    await act();
  } finally {
    process.seteuid?.(0);
  }
}

suite('several watched files', () => {
  test('that change together are told once, when all stand still', async (t) => {
    const { folder, watch, look, changes } = await watching(t);
    const files = ['portway.yaml', 'ca.pem'].map((name) => join(folder, name));
    const [config = '', ca = ''] = files;
    for (const file of files) await writeFile(file, 'old');
    await watch.watch(files);
    await writeFile(config, 'new');
    await look(1);
    await writeFile(ca, 'new');
    await look(1);
    assert.equal(changes(), 0, 'the second is still moving');
    await look(1);
    assert.equal(changes(), 1);
    await look(2);
    assert.equal(changes(), 1);
  });

  test('follow the config: new ones are watched, old ones are not, what is known stays known', async (t) => {
    const { folder, watch, look, changes } = await watching(t);
    const [config = '', before = '', after = ''] = ['portway.yaml', 'before.pem', 'after.pem'].map((name) =>
      join(folder, name),
    );
    for (const file of [config, before, after]) await writeFile(file, 'old');
    await watch.watch([config, before]);
    await writeFile(config, 'new');
    await watch.watch([config, after]);
    await writeFile(before, 'new');
    await look(2);
    assert.equal(changes(), 1, 'written before the second watch(), and known from the first');
    await writeFile(after, 'new');
    await look(2);
    assert.equal(changes(), 2);
  });

  test('of two calls the later holds', async (t) => {
    const { folder, watch, look, changes } = await watching(t);
    const [one = '', other = '', ...more] = ['one', 'other', 'a', 'b', 'c', 'd', 'e'].map((name) =>
      join(folder, name),
    );
    for (const file of [one, other, ...more]) await writeFile(file, 'old');
    // the first has more to do and would end last
    await Promise.all([watch.watch([one, ...more]), watch.watch([other])]);
    await writeFile(one, 'new');
    await look(2);
    assert.equal(changes(), 0);
    await writeFile(other, 'new');
    await look(2);
    assert.equal(changes(), 1);
  });
});

suite('the looks', () => {
  test('come each second from the clock, and one that is slow is not joined by another', async (t) => {
    const { clock, watch } = await onFile(t);
    assert.deepEqual(clock.intervals, [1_000]);
    clock.tick();
    const underWay = watch.poll();
    clock.tick();
    assert.equal(watch.poll(), underWay);
    await underWay;
    assert.notEqual(watch.poll(), underWay);
  });

  test('end with close(), even one that is under way', async (t) => {
    const { clock, watch, file, look, changes, said } = await onFile(t);
    await writeFile(file, 'new');
    await look(1);
    const underWay = watch.poll();
    watch.close();
    await underWay;
    assert.equal(clock.tick(), 0);
    await unlink(file);
    await look(2);
    assert.equal(changes(), 0);
    assert.deepEqual(said, []);
  });
});
