import { Agent, request } from 'node:http';
import type { TestContext } from 'node:test';

const PER_SECOND = 40;

/** Requests of the shop at a steady rate, whatever becomes of them; they end with the test. */
export function loadShop(t: TestContext, port: number): void {
  const agent = new Agent({ keepAlive: true });
  let sent = 0;
  const timer = setInterval(() => {
    sent += 1;
    // some without an answer: the test ends them, or the gateway does
    request({ port, agent, method: sent % 10 === 0 ? 'POST' : 'GET', path: '/shop/' })
      .on('error', () => {})
      .on('response', (response) => response.on('error', () => {}).resume())
      .end();
  }, 1_000 / PER_SECOND);
  t.after(() => {
    clearInterval(timer);
    agent.destroy();
  });
}
