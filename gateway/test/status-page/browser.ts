import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BrowserContext, chromium, type Page } from 'playwright-core';

const IN_PAGE = fileURLToPath(new URL('in-page.js', import.meta.url));

/** Where distributions put it. */
const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** The system's Chromium. @throws when there is none, with what to do about it */
function findChromium(): string {
  const found = PLACES.find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new Error(
    'these tests drive a real browser: apt-get install chromium (Debian, Ubuntu: or google-chrome)',
  );
}

/** Where what was opened is closed: a test, or node:test itself for all tests of a file. */
export interface Ending {
  after(close: () => Promise<void>): void;
}

export interface Look {
  readonly width?: number;
  readonly height?: number;
  readonly dark?: boolean;
  /** So that the test can move the page's time on. */
  readonly fakeTime?: boolean;
}

/** A headless Chromium with a profile of its own; both are gone when the test ends. */
export async function openBrowser(ending: Ending, ...flags: readonly string[]): Promise<BrowserContext> {
  const profile = await mkdtemp(join(tmpdir(), 'portway-chromium-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: findChromium(),
    args: [...FLAGS, ...flags],
    viewport: { width: 1280, height: 900 },
  });
  ending.after(async () => {
    await context.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  });
  return context;
}

/** The status page in a tab of its own, live. */
export async function openPage(
  ending: Ending,
  browser: BrowserContext,
  port: number,
  { width = 1280, height = 900, dark = false, fakeTime = false }: Look = {},
): Promise<Page> {
  const page = await browser.newPage();
  // so that what hangs is named before the test is ended
  page.setDefaultTimeout(20_000);
  await page.addInitScript({ path: IN_PAGE });
  await page.setViewportSize({ width, height });
  await page.emulateMedia({ colorScheme: dark ? 'dark' : 'light', reducedMotion: 'reduce' });
  if (fakeTime) await page.clock.install();
  await page.goto(`http://127.0.0.1:${port}/`);
  await page.locator('#link[data-state=live]').waitFor();
  ending.after(() => page.close());
  return page;
}

/** Asks `probe` of in-page.js. */
export function ask<Answer>(page: Page, what: string): Promise<Answer> {
  return page.evaluate<Answer>(`probe.${what}`);
}
