import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import type { FastifyInstance } from 'fastify';
import type { Page } from 'playwright-core';
import { buildChatApp } from '../../../services/chat/src/chat-app.ts';
import { stillOptions } from '../../../services/shared/test/support.ts';
import { buildWebApp } from '../../../services/web/src/web-app.ts';
import type { HttpListenerPlan } from '../../src/data/plan.ts';
import { type Certificate, makeCertificate } from '../agents/certificates.ts';
import { HTTP2 } from '../http2-clients/http2-stage.ts';
import { startGateway } from '../relay/gateway-in-test.ts';
import { openBrowser } from '../status-page/browser.ts';
import { plan, routePlan, servicePlan } from '../support/plans.ts';
import { tlsPlan } from '../tls/tls-stage.ts';

const NEVER_MS = 2 ** 31 - 1;

interface Demo {
  /** Of the gateway. */
  readonly url: string;
  /** The chat instances, by the name that the page shows. */
  readonly chats: ReadonlyMap<string, FastifyInstance>;
}

/** The demo's web and chat services behind a gateway, as docker-compose and `npm start` have them. */
async function startDemo(t: TestContext, listener: Partial<HttpListenerPlan>): Promise<Demo> {
  const web = await buildWebApp(stillOptions());
  const chats = [0, 1].map(() =>
    buildChatApp({ ...stillOptions({ now: Date.now }), pingIntervalMs: NEVER_MS }),
  );
  const urls = await Promise.all(
    [web, ...chats].map((app) => {
      t.after(() => app.close());
      return app.listen({ host: '127.0.0.1', port: 0 });
    }),
  );
  const [webPort = 0, ...chatPorts] = urls.map((url) => Number(new URL(url).port));
  const { port } = await startGateway(
    t,
    plan([], {
      listener,
      services: [
        servicePlan([webPort]),
        servicePlan(chatPorts, {
          name: 'chat',
          balance: { kind: 'hash', key: { from: 'path' }, balanceFactor: undefined },
        }),
      ],
      routes: [
        routePlan({ name: '/chat', path: '/chat', service: 'chat', rewrite: '/' }),
        routePlan({ name: '/', path: '/', service: 'web' }),
      ],
    }),
  );
  return {
    url: `${listener.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    chats: new Map(chats.map((app, index) => [`chat-${chatPorts[index]}`, app])),
  };
}

async function join(page: Page, url: string, name: string): Promise<void> {
  await page.goto(`${url}/chat-page`);
  await page.fill('#name', name);
  await page.click('#join button');
  await page.waitForSelector('#text:enabled');
}

const lineWith = (page: Page, text: string) => page.locator('#log li', { hasText: text }).first().waitFor();

/** Two people meet in a room, talk, lose their instance and find each other again on the other one. */
async function chat(t: TestContext, demo: Demo, flags: readonly string[]): Promise<void> {
  const browser = await openBrowser(t, ...flags);
  const [ann, bob] = await Promise.all([browser.newPage(), browser.newPage()]);
  const failures: string[] = [];
  for (const page of [ann, bob]) page.on('pageerror', (error) => failures.push(String(error)));
  await join(ann, demo.url, 'ann');
  await join(bob, demo.url, 'bob');
  await ann.locator('#members li', { hasText: 'bob' }).waitFor();
  assert.deepEqual(await bob.locator('#members li').allTextContents(), ['ann', 'bob']);

  const markup = '<img src=x onerror="document.title=1">';
  await ann.fill('#text', markup);
  await ann.press('#text', 'Enter');
  await lineWith(bob, `ann: ${markup}`);
  assert.equal(await bob.locator('#log img').count(), 0);

  const instance = (await ann.textContent('#state'))?.replace('connected to ', '') ?? '';
  await demo.chats.get(instance)?.close();
  for (const page of [ann, bob]) await lineWith(page, 'connection closed (1001');
  // both come back by themselves, to the instance that is left
  for (const page of [ann, bob]) await page.waitForSelector('#text:enabled');
  const now = await ann.textContent('#state');
  assert.equal(await bob.textContent('#state'), now);
  assert.ok(now !== null && !now.includes(instance), `${now}`);
  await bob.fill('#text', 'still here?');
  await bob.press('#text', 'Enter');
  await lineWith(ann, 'bob: still here?');
  assert.deepEqual(failures, []);
}

test('two people chat in a browser through the gateway, and find each other again when their instance ends', async (t) => {
  await chat(t, await startDemo(t, {}), []);
});

test('the same over TLS and HTTP/2', async (t) => {
  const certificate = makeCertificate({ names: ['IP:127.0.0.1'] });
  const { key, cert } = certificate;
  const demo = await startDemo(t, {
    tls: tlsPlan([{ names: ['127.0.0.1'], cert, key }]),
    http2: HTTP2,
  });
  await chat(t, demo, [`--ignore-certificate-errors-spki-list=${publicKeyHash(certificate)}`]);
});

/** By which Chromium lets one key pass without trusting every other. */
function publicKeyHash({ cert }: Certificate): string {
  const der = new X509Certificate(cert).publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(der).digest('base64');
}
