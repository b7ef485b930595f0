import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Page } from 'playwright-core';
import { MAX_WATCHERS } from '../../src/control/status-page/live-feed.ts';
import { backendStatus } from '../admin/admin-stage.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { ask, openBrowser, openPage } from './browser.ts';
import { EventStream } from './event-stream.ts';
import { EJECTED, listener, openAdmin, route, Scene, serviceStatus } from './page-stage.ts';

// A real Chromium before a real admin server, over a gateway that tests change.

const browser = await openBrowser({ after });

const REF = { service: 'db', backend: '127.0.0.1:3001' };
const verdict = (page: Page) => page.locator('#verdict-title');
const row = (page: Page, backend: string) =>
  page.locator('.backends tbody tr', { has: page.getByRole('rowheader', { name: backend }) });

/** The cells of each row. Runs in the page. */
const texts = (
  rows: readonly { readonly children: Iterable<{ readonly textContent: string | null }> }[],
): readonly string[] =>
  rows.map((row) => [...row.children].map((cell) => cell.textContent?.trim() ?? '').join(' | '));

/** Everything that throws, or that the content security policy stops. */
function complaintsOf(page: Page): readonly string[] {
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  return complaints;
}

test('a gateway that is well is said to be well, with its routes, services and backends', async (t) => {
  const scene = new Scene();
  const { port } = await openAdmin(t, scene);
  const page = await openPage(t, browser, port);
  const complaints = complaintsOf(page);
  await verdict(page)
    .filter({ hasText: /^All is well$/ })
    .waitFor();
  assert.equal(await page.title(), 'Portway');
  assert.deepEqual(await page.locator('#routes th').allTextContents(), ['/ ', '/db ']);
  assert.deepEqual(await page.locator('#services h3').allTextContents(), ['web', 'db']);
  assert.equal(await page.locator('.backends tbody tr').count(), 3);
  assert.match(
    (await row(page, '127.0.0.1:3001').textContent()) ?? '',
    /In\s*breaker closed · probes healthy/,
  );
  assert.match((await page.locator('#facts').textContent()) ?? '', /v0\.1\.0 · up 1 min 1 s/);
  assert.deepEqual(complaints, []);
});

test('what is wrong stands at the top with its reason and since when, and leads to its row', async (t) => {
  const scene = new Scene();
  const { port } = await openAdmin(t, scene);
  scene.eject('db', '127.0.0.1:3001');
  scene.about = { redis: { up: false, reason: 'connection refused', lastSyncAgoMs: 4_000, replicas: [] } };
  const page = await openPage(t, browser, port);
  await verdict(page)
    .filter({ hasText: /^2 things are wrong$/ })
    .waitFor();
  assert.equal(await page.title(), '(2) Portway');
  const said = (await page.locator('#problems').textContent()) ?? '';
  assert.match(said, /Redis is away \(connection refused\); what was last known stands for at least \d+ s/);
  assert.match(
    said,
    /127\.0\.0\.1:3001 of db ejected until 12:00:41 UTC: 5 failures in a row \(connect_refused\) since \d+ s/,
  );
  await page.locator('#problems').getByRole('link', { name: '127.0.0.1:3001 of db' }).click();
  const focused = await page.locator(':focus').textContent();
  assert.match(focused ?? '', /^127\.0\.0\.1:3001.*Out/);
  assert.match(
    (await row(page, '127.0.0.1:3001').textContent()) ?? '',
    /Out\s*ejected until 12:00:41 UTC.*since \d+ s/,
  );
  assert.match(
    (await page.locator('#totals').textContent()) ?? '',
    /Away\s*last heard 4 s ago: connection refused/,
  );
});

test('what changes is seen without reloading, events at once', async (t) => {
  const scene = new Scene();
  const { port } = await openAdmin(t, scene);
  const page = await openPage(t, browser, port);
  scene.eject('db', '127.0.0.1:3001');
  await verdict(page)
    .filter({ hasText: /^1 thing is wrong$/ })
    .waitFor();
  await page.locator('#events').getByText('is out: ejected until 12:00:41').waitFor();
  scene.change(REF, backendStatus(REF.backend));
  scene.tell({ kind: 'eligible', ...REF });
  await verdict(page)
    .filter({ hasText: /^All is well$/ })
    .waitFor();
  const first = page.locator('#events li').first();
  assert.match((await first.textContent()) ?? '', /\d\d:\d\d:\d\dInfo127\.0\.0\.1:3001 of db is in again/);
  scene.services = [...scene.services, serviceStatus('new', [backendStatus('h:1')])];
  await page.getByRole('heading', { name: 'new', level: 3 }).waitFor();
  scene.services = scene.services.slice(1);
  await page.getByRole('heading', { name: 'web', level: 3 }).waitFor({ state: 'detached' });
});

test('traffic is shown in numbers and curves', async (t) => {
  const scene = new Scene();
  const { port } = await openAdmin(t, scene);
  const page = await openPage(t, browser, port);
  const load = setInterval(() => {
    scene.count('/db', 10, 1, 4);
    scene.count('db 127.0.0.1:3001', 10, 1, 4);
  }, 20);
  t.after(() => clearInterval(load));
  const db = page.locator('#routes tr', { hasText: '/db' });
  await db.getByText(/10 %/).waitFor();
  assert.match((await db.textContent()) ?? '', /\d+\/s.*10 %.*2\d ms\(1\d ms\)/);
  while ((await ask<number>(page, "curveLength('#routes tr:last-child .line')")) <= 20);
  await page
    .locator('#problems')
    .getByText(/Route \/db.*10 % of its requests are answered 5xx/)
    .waitFor();
});

test('listeners of every protocol are shown, with their clients and where they lead', async (t) => {
  const scene = new Scene();
  const { port } = await openAdmin(t, scene);
  scene.listeners = [
    listener('0.0.0.0:8443', 7, { protocol: 'https' }),
    listener('0.0.0.0:53', 2, { protocol: 'tcp', services: ['db'] }),
    listener('0.0.0.0:53', 5, { protocol: 'udp', services: ['db', 'web'] }),
  ];
  const page = await openPage(t, browser, port);
  const listeners = page.locator('#listeners tr');
  await listeners.nth(2).waitFor();
  assert.deepEqual(await listeners.evaluateAll(texts), [
    '0.0.0.0:8443 | HTTPS | 7 | routes',
    '0.0.0.0:53 | TCP | 2 | db',
    '0.0.0.0:53 | UDP | 5 | db, web',
  ]);
  assert.match(
    (await page.locator('#totals').textContent()) ?? '',
    /14on 0\.0\.0\.0:8443, tcp 0\.0\.0\.0:53, udp/,
  );
  const db = page.locator('.service', { has: page.getByRole('heading', { name: 'db', exact: true }) });
  assert.match((await db.textContent()) ?? '', /from \/db, tcp 0\.0\.0\.0:53, udp 0\.0\.0\.0:53/);
});

test('tunnels are shown once there is one: how many are open, and what goes through them', async (t) => {
  const scene = new Scene();
  const { port } = await openAdmin(t, scene);
  const page = await openPage(t, browser, port);
  await verdict(page).filter({ hasText: 'All is well' }).waitFor();
  assert.equal(await page.getByRole('heading', { name: 'Tunnels' }).isVisible(), false);
  let bytes = 0;
  const load = setInterval(() => {
    bytes += 1024 * 1024;
    scene.tunnels.set('/db', { open: 1, opened: 3, bytesIn: 512, bytesOut: bytes });
    scene.tunnels.set('/', { open: 2, opened: 2, bytesIn: 0, bytesOut: 0 });
  }, 20);
  t.after(() => clearInterval(load));
  await page.getByRole('heading', { name: 'Tunnels' }).waitFor();
  const rows = page.locator('#tunnels tr');
  await rows
    .nth(1)
    .getByText(/MiB\/s/)
    .waitFor();
  const [root, db] = (await rows.evaluateAll(texts)) as string[];
  assert.equal(root, '/ | web | 2 | 2 | 0 B/s 0 B in all | 0 B/s 0 B in all');
  assert.match(
    db ?? '',
    /^\/db \| db \| 1 \| 3 \| \d+ B\/s 512 B in all \| [\d.]+ MiB\/s [\d.]+ [MG]iB in all$/,
  );
  assert.match((await page.locator('#totals').textContent()) ?? '', /, 3 tunnels open/);
});

test('where no token is set, a backend is drained and undrained after one question', async (t) => {
  const scene = new Scene();
  scene.change(REF, { pending: 4 });
  const { port } = await openAdmin(t, scene);
  const page = await openPage(t, browser, port);
  await page.getByRole('button', { name: 'Drain 127.0.0.1:3001 of db' }).click();
  const dialog = page.getByRole('dialog', { name: 'Drain 127.0.0.1:3001 of db?' });
  await dialog.waitFor();
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  assert.equal(scene.services[1]?.backends[0]?.admin, 'enabled');
  await page.getByRole('button', { name: 'Drain 127.0.0.1:3001 of db' }).click();
  await dialog.getByRole('button', { name: 'Drain' }).click();
  await dialog.waitFor({ state: 'hidden' });
  const db = row(page, '127.0.0.1:3001');
  await db.getByText('by the operator; 4 requests left').waitFor();
  await verdict(page).filter({ hasText: 'All is well · 1 backend taken out by the operator' }).waitFor();
  scene.change(REF, { pending: 0 });
  await db.getByText('no request left: it can be stopped').waitFor();
  await page.getByRole('button', { name: 'Undrain 127.0.0.1:3001 of db' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Undrain' }).click();
  await verdict(page)
    .filter({ hasText: /^All is well$/ })
    .waitFor();
  await page.getByRole('button', { name: 'Disable 127.0.0.1:3000 of web' }).click();
  await page.getByText('It is the last one that is in').waitFor();
});

test('where a token is set, it is asked for, kept in memory, and errors are said in words', async (t) => {
  const scene = new Scene();
  const { port } = await openAdmin(t, scene, { token: 's3cret' });
  const page = await openPage(t, browser, port);
  const dialog = page.getByRole('dialog');
  const token = dialog.getByLabel('Admin token');
  await page.getByRole('button', { name: 'Disable 127.0.0.1:3011 of db' }).click();
  await dialog.getByRole('button', { name: 'Disable' }).click();
  await dialog.getByRole('alert').getByText('changes need Authorization: Bearer').waitFor();
  await token.and(page.locator(':focus')).waitFor();
  await token.fill('wrong');
  await token.press('Enter');
  await dialog.getByRole('alert').getByText('this is not the config’s admin.token').waitFor();
  await token.fill('wr\u00f6ng');
  await token.press('Enter');
  await dialog.getByRole('alert').getByText('only ASCII').waitFor();
  await token.fill('s3cret');
  await token.press('Enter');
  await dialog.waitFor({ state: 'hidden' });
  await row(page, '127.0.0.1:3011').getByText('by the operator, not probed').waitFor();
  await page.getByRole('button', { name: 'Enable 127.0.0.1:3011 of db' }).click();
  await dialog.getByRole('button', { name: 'Enable' }).click();
  await dialog.waitFor({ state: 'hidden' });
  assert.equal(scene.services[1]?.backends[1]?.admin, 'enabled');
  const kept = await page.evaluate<string>('JSON.stringify([localStorage, sessionStorage, document.cookie])');
  assert.equal(kept, '[{},{},""]');
});

test('a lost connection is said with the time of the last data, and found again', async (t) => {
  const { admin, port } = await openAdmin(t, new Scene());
  const page = await openPage(t, browser, port);
  await verdict(page).filter({ hasText: 'All is well' }).waitFor();
  await admin.close();
  await verdict(page)
    .filter({ hasText: /^Connection lost: .*last data \d\d:\d\d:\d\d UTC, \d+ s ago/ })
    .waitFor();
  assert.equal(await page.title(), '(lost) Portway');
  await page
    .locator('#link')
    .getByText(/Not live: last data/)
    .waitFor();
  await page.locator('#short').getByText('Connection lost').waitFor();
  const after = new Scene();
  await openAdmin(t, after, { port });
  after.eject('db', '127.0.0.1:3001');
  await page.getByRole('button', { name: 'Try now' }).click();
  await verdict(page)
    .filter({ hasText: /^1 thing is wrong$/ })
    .waitFor();
  await page
    .locator('#link')
    .getByText(/^Live · /)
    .waitFor();
  assert.equal(await page.locator('#events li').count(), 1);
});

test('a gateway that says nothing any more is not taken to be there', async (t) => {
  const { port } = await openAdmin(t, new Scene(new ManualClock()));
  // a browser has one time for all its pages
  const page = await openPage(t, await openBrowser(t), port, { fakeTime: true });
  await page.clock.fastForward(5_100);
  await verdict(page)
    .filter({ hasText: /^Connection lost: nothing came for 5 seconds/ })
    .waitFor();
  await page.clock.fastForward(1_100);
  await verdict(page)
    .filter({ hasText: /^All is well$/ })
    .waitFor();
});

test('a gateway that refuses another watcher is heard', async (t) => {
  const { port } = await openAdmin(t, new Scene());
  const streams = await Promise.all(Array.from({ length: MAX_WATCHERS }, () => EventStream.open(port)));
  const page = await browser.newPage();
  t.after(() => page.close());
  await page.goto(`http://127.0.0.1:${port}/`);
  await verdict(page).filter({ hasText: 'as many watch already as may' }).waitFor();
  assert.match((await verdict(page).textContent()) ?? '', /no data yet/);
  for (const { client } of streams) client.socket.destroy();
  await verdict(page).filter({ hasText: 'All is well' }).waitFor();
});

test('of hundreds of backends the filter shows those that are asked for', async (t) => {
  const scene = hundreds();
  const { port } = await openAdmin(t, scene);
  const page = await openPage(t, browser, port);
  const filter = page.getByRole('searchbox', { name: 'Filter' });
  await filter.fill('service-3 10.0.3.1');
  await page.locator('#shown').getByText('11 of 300 backends, 0 of 6 routes').waitFor();
  assert.equal(await page.locator('.backends tbody tr:visible').count(), 11);
  await filter.fill('');
  await page.getByLabel('Only what is wrong or taken out').check();
  await page.getByText('No backend is like that.').waitFor();
  scene.eject('service-4', '10.0.4.7:80');
  await page.locator('#shown').getByText('1 of 300 backends, 1 of 6 routes').waitFor();
  assert.match((await page.locator('.backends tbody tr:visible').textContent()) ?? '', /10\.0\.4\.7:80/);
  scene.eject('service-5', '10.0.5.7:80');
  await page.locator('#shown').getByText('2 of 300').waitFor();
  await filter.fill('service-4');
  await page.locator('#problems').getByRole('link', { name: '10.0.5.7:80 of service-5' }).click();
  // what is led to is shown, whatever the filter says
  assert.equal(await filter.inputValue(), '');
  await row(page, '10.0.5.7:80').and(page.locator(':focus')).waitFor();
});

test('of thousands of routes the first thousand are shown, and how many are not', async (t) => {
  const scene = new Scene();
  scene.routes = Array.from({ length: 1_003 }, (_, index) => route(`/${index}`, 'web'));
  const { port } = await openAdmin(t, scene);
  const page = await openPage(t, browser, port);
  await page.getByText('3 more routes not shown.').waitFor();
  assert.equal(await page.locator('#routes tr').count(), 1_000);
});

test('an update with 300 backends takes less than 50 ms', async (t) => {
  const scene = hundreds();
  const { port } = await openAdmin(t, scene);
  const page = await openPage(t, browser, port);
  const load = setInterval(() => {
    for (const { name, backends } of scene.services) {
      scene.count(`/${name}`, 50, 1);
      for (const backend of backends) {
        scene.count(`${name} ${backend.name}`, 1, 0);
        scene.change({ service: name, backend: backend.name }, { pending: Math.floor(Math.random() * 9) });
      }
    }
  }, 300);
  t.after(() => clearInterval(load));
  await page.locator('summary').first().click();
  const tookMs = (await ask<readonly number[]>(page, 'updateTimes(5)')).toSorted((one, other) => one - other);
  t.diagnostic(`updates: ${tookMs.map((ms) => ms.toFixed(1)).join(', ')} ms`);
  assert.ok((tookMs[2] ?? 99) < 50, `the median of ${tookMs}`);
});

test('names and reasons stay text, whatever they hold', async (t) => {
  const evil = `<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>"'&\u202e`;
  const scene = new Scene();
  scene.routes = [route(`/${evil}`, evil), route('/long', 'x'.repeat(500))];
  scene.services = [
    serviceStatus(evil, [backendStatus(evil, { ...EJECTED, reason: evil, healthReason: evil })]),
    serviceStatus('a/b?c#d%2f', [backendStatus('h/?#%:1')]),
  ];
  scene.about = { version: evil, redis: { up: false, reason: evil, fleet: evil } };
  scene.tell({ kind: 'ineligible', by: 'health', reason: evil, service: evil, backend: evil });
  const { port } = await openAdmin(t, scene);
  const page = await openPage(t, browser, port);
  const complaints = complaintsOf(page);
  await verdict(page).filter({ hasText: /wrong/ }).waitFor();
  assert.equal(await page.locator('#services h3').first().textContent(), evil);
  assert.equal(await page.locator('main img, main script, body script').count(), 0);
  assert.equal(await page.evaluate<boolean>("'hacked' in window"), false);
  await page.getByRole('button', { name: 'Drain h/?#%:1 of a/b?c#d%2f' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Drain' }).click();
  await row(page, 'h/?#%:1').getByText('Drained').waitFor();
  assert.deepEqual(complaints, []);
  assert.deepEqual(await ask(page, 'tooWide()'), []);
});

/** Six services of fifty backends. */
function hundreds(): Scene {
  const scene = new Scene();
  const names = [0, 1, 2, 3, 4, 5].map((index) => `service-${index}`);
  scene.routes = names.map((name) => route(`/${name}`, name));
  scene.services = names.map((name, index) =>
    serviceStatus(
      name,
      Array.from({ length: 50 }, (_, host) => backendStatus(`10.0.${index}.${host}:80`)),
    ),
  );
  return scene;
}
