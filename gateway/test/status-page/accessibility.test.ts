import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Page } from 'playwright-core';
import { backendStatus } from '../admin/admin-stage.ts';
import { ask, openBrowser, openPage } from './browser.ts';
import { EJECTED, listener, openAdmin, route, Scene, serviceStatus } from './page-stage.ts';

const browser = await openBrowser({ after });

/** A bit of everything: in, out, on trial, drained, waiting requests, events. */
function busyScene(): Scene {
  const scene = new Scene();
  scene.about = { version: '0.1.0', uptimeMs: 1, redis: { up: false, reason: 'refused', replicas: [] } };
  scene.routes = [...scene.routes, route('/dead', 'dead')];
  scene.services = [
    ...scene.services,
    serviceStatus('mixed', [
      backendStatus('m:1', { pool: { active: 8, idle: 0, connecting: 2, queued: 3, max: 8 } }),
      backendStatus('m:2', { breaker: 'half-open' }),
      backendStatus('m:3', { weight: 2, effectiveWeight: 0.5 }),
    ]),
    serviceStatus('dead', [backendStatus('d:1', EJECTED)]),
  ];
  scene.listeners = [
    listener('0.0.0.0:8443', 7, { protocol: 'https' }),
    listener('0.0.0.0:6379', 2, { protocol: 'tcp', services: ['mixed', 'dead'] }),
  ];
  scene.tunnels.set('/db', { open: 5, opened: 1_234_567, bytesIn: 1e9, bytesOut: 1e15 });
  scene.setAdmin({ service: 'db', backend: '127.0.0.1:3011' }, 'draining');
  scene.tell({ kind: 'none-eligible', service: 'dead', active: true, failOpen: false });
  scene.tell({ kind: 'breaker', from: 'closed', to: 'open', reason: 'x', service: 'mixed', backend: 'm:2' });
  return scene;
}

async function busyPage(
  t: Parameters<typeof openAdmin>[0],
  look: Parameters<typeof openPage>[3] = {},
): Promise<Page> {
  const scene = busyScene();
  const { port } = await openAdmin(t, scene);
  const load = setInterval(() => scene.count('/db', 10, 1), 50);
  t.after(() => clearInterval(load));
  const page = await openPage(t, browser, port, look);
  await page.locator('#problems').getByText('Route /db').waitFor();
  return page;
}

test('landmarks, headings and tables are real ones', async (t) => {
  const page = await busyPage(t);
  for (const role of ['banner', 'main', 'search', 'contentinfo'] as const)
    assert.equal(await page.getByRole(role).count(), 1, role);
  const levels = await ask<readonly number[]>(page, 'headingLevels()');
  assert.equal(levels[0], 1);
  for (const [index, level] of levels.entries())
    assert.ok(level <= (levels[index - 1] ?? 0) + 1, `${levels}`);
  assert.equal(await page.locator('html').getAttribute('lang'), 'en');
});

for (const width of [1280, 390]) {
  test(`at ${width} px tables are tables for screen readers, and nothing has to be scrolled sideways`, async (t) => {
    const page = await busyPage(t, { width, height: 800 });
    const table = page.getByRole('table', { name: 'mixed' });
    assert.deepEqual(await table.getByRole('columnheader').allTextContents(), [
      'Backend',
      'State',
      'Attempts',
      'Errors (5xx)',
      'p99 (p50)',
      'Connections',
      'Change',
    ]);
    assert.equal(await table.getByRole('row').count(), 4);
    assert.equal(await table.getByRole('rowheader', { name: 'm:2' }).count(), 1);
    assert.equal(await table.getByRole('row').nth(1).getByRole('cell').count(), 6);
    assert.deepEqual(await ask(page, 'tooWide()'), []);
  });
}

test('everything that can be used has a name and a size that can be hit', async (t) => {
  const page = await busyPage(t, { width: 390, height: 800 });
  const controls = page.locator('button:visible, input:visible, summary:visible');
  for (const control of await controls.all()) {
    const snapshot = await control.ariaSnapshot();
    assert.match(snapshot, /"[^"]+"|: \S/, snapshot);
    const box = await control.boundingBox();
    const isCheckbox = (await control.getAttribute('type')) === 'checkbox';
    // WCAG 2.2 §2.5.8; a checkbox has its label beside it
    assert.ok(isCheckbox || (box !== null && box.width >= 24 && box.height >= 24), snapshot);
  }
  const names = await page
    .getByRole('button')
    .evaluateAll((nodes) => nodes.map((node) => node.getAttribute('aria-label')));
  const own = names.filter((name) => name !== null);
  assert.equal(new Set(own).size, own.length);
});

for (const dark of [false, true]) {
  test(`text and controls have the contrast that WCAG AA asks for, in ${dark ? 'dark' : 'light'}`, async (t) => {
    const page = await busyPage(t, { dark });
    assert.deepEqual(await ask(page, 'lowContrasts()'), []);
    await page.getByRole('button', { name: 'Drain 127.0.0.1:3000 of web' }).click();
    await page.getByRole('dialog').waitFor();
    assert.deepEqual(await ask(page, 'lowContrasts()'), []);
    const ground = await page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
    assert.equal(ground, dark ? 'rgb(13, 18, 24)' : 'rgb(244, 246, 248)');
  });
}

test('with the keyboard alone everything is reached, seen and done', async (t) => {
  const page = await busyPage(t);
  await page.keyboard.press('Tab');
  const focused = (): Promise<string> => ask(page, 'focused()');
  assert.equal(await focused(), 'Skip to the services');
  await page.keyboard.press('Enter');
  assert.equal(await focused(), 'services-title');
  const seen = new Set<string>();
  for (let step = 0; step < 60 && !seen.has('events-scroll'); step += 1) {
    await page.keyboard.press('Tab');
    seen.add(await focused());
    assert.ok((await ask(page, 'focusIsSeen()')) || seen.has('events-scroll'), await focused());
  }
  for (const name of ['web', 'db', 'mixed', 'dead'])
    assert.ok(
      [...seen].some((one) => one.startsWith(name)),
      `${name} in ${[...seen]}`,
    );
  for (const name of ['Drain m:1 of mixed', 'Disable d:1 of dead', 'Undrain 127.0.0.1:3011 of db'])
    assert.ok(seen.has(name), name);
});

test('the question before a change holds the focus, Escape takes it back to where it was', async (t) => {
  const page = await busyPage(t);
  const button = page.getByRole('button', { name: 'Drain m:1 of mixed' });
  await button.focus();
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Drain m:1 of mixed?' });
  await dialog.waitFor();
  for (let step = 0; step < 6; step += 1) {
    await page.keyboard.press('Tab');
    assert.equal(await ask(page, "focusIsIn('main, header, footer')"), false);
  }
  await page.keyboard.press('Escape');
  await button.and(page.locator(':focus')).waitFor();
});

test('focus and selection stay over updates, also when what is focused turns round', async (t) => {
  const scene = new Scene();
  const { port } = await openAdmin(t, scene);
  const page = await openPage(t, browser, port);
  await page.getByRole('button', { name: 'Drain 127.0.0.1:3001 of db' }).focus();
  await ask(page, 'remember()');
  scene.services = [serviceStatus('first', [backendStatus('f:1')]), ...scene.services];
  scene.setAdmin({ service: 'db', backend: '127.0.0.1:3001' }, 'draining');
  await page.getByRole('button', { name: 'Undrain 127.0.0.1:3001 of db' }).waitFor();
  assert.ok(await ask(page, 'focusIsRemembered()'));
  await page.locator('#problems').getByRole('link').first().focus();
  scene.setAdmin({ service: 'db', backend: '127.0.0.1:3001' }, 'enabled');
  // what had the focus is gone: it goes to what is left of the list
  await page.locator('#verdict-title:focus').waitFor();
});

test('screen readers are told when something goes wrong or well again, and nothing each second', async (t) => {
  const scene = new Scene();
  const { port } = await openAdmin(t, scene);
  const page = await openPage(t, browser, port);
  const status = page.getByRole('status').first();
  await status.filter({ hasText: /^All is well$/ }).waitFor({ state: 'attached' });
  await ask(page, 'hear()');
  scene.eject('db', '127.0.0.1:3001');
  await page.locator('#problems').getByText('since 3 s').waitFor();
  scene.change({ service: 'db', backend: '127.0.0.1:3001' }, backendStatus('127.0.0.1:3001'));
  await status.filter({ hasText: /^All is well$/ }).waitFor({ state: 'attached' });
  assert.deepEqual(await ask(page, 'announced'), [
    '1 thing is wrong: 127.0.0.1:3001 of db (Wrong)',
    'All is well',
  ]);
  assert.equal(await status.count(), 1);
});

test('nothing moves for those who want it so, and states are words beside their colours', async (t) => {
  const page = await busyPage(t);
  assert.equal(await ask(page, 'moving()'), 0);
  const words = await page.locator('.backends tbody tr .badge').allTextContents();
  assert.deepEqual(words, ['In', 'In', 'Drained', 'In', 'On trial', 'Starting', 'Out']);
  const severities = await page.locator('#events .badge').allTextContents();
  assert.deepEqual(severities, ['Warning', 'Error', 'Info']);
});
