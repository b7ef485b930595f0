import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePort } from '../restarts/free-port.ts';
import { ProbedBackend } from '../restarts/probed-backend.ts';
import { runGateway } from '../restarts/process.ts';
import { exchangeRaw } from '../support/raw-client.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const TOKEN = 'the-admin-token';

function portway(...args: string[]): Promise<{ code: number; stdout: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [MAIN, ...args], (_error, stdout) =>
      resolve({ code: child.exitCode ?? -1, stdout }),
    );
  });
}

test('portway explain asks the gateway that runs, and the config alone when none does; a live request may ask too', async (t) => {
  const [one, bad] = [await ProbedBackend.start(t, 'one'), await ProbedBackend.start(t, 'bad', 503)];
  const gateway = runGateway(t, {
    listeners: [{ address: '127.0.0.1:0' }],
    admin: { address: `127.0.0.1:${await freePort()}`, token: TOKEN },
    services: { web: { health: { path: '/health' }, backends: [one.url, bad.url] } },
    routes: [{ path: '/app', service: 'web', stripPrefix: true }],
  });
  await gateway.until(() => gateway.adminUrl !== '');
  const ask = (url: string) => portway('explain', 'GET', url, '--config', gateway.configFile);

  const running = await ask('http://a/app/x');
  assert.equal(running.code, 0);
  assert.ok(running.stdout.includes(`asked the gateway at ${gateway.adminUrl}`));
  assert.match(running.stdout, new RegExp(`127\\.0\\.0\\.1:${bad.port}[^\n]*unhealthy: status 503`));
  assert.match(running.stdout, new RegExp(`127\\.0\\.0\\.1:${one.port}`));
  assert.equal((await ask('http://a/elsewhere')).code, 3);

  const asking = (token: string): Promise<string> =>
    exchangeRaw(
      gateway.port,
      `GET /app/x HTTP/1.1\r\nHost: a\r\nX-Portway-Explain: ${token}\r\nConnection: close\r\n\r\n`,
    );
  assert.match(await asking(TOKEN), new RegExp(`\r\nX-Portway-Explain: [^\r]*127\\.0\\.0\\.1:${one.port}`));
  assert.doesNotMatch(await asking('guessed'), /X-Portway-Explain/);

  gateway.child.kill('SIGTERM');
  assert.equal(await gateway.exited, 0);
  const offline = await ask('http://a/app/x');
  assert.equal(offline.code, 0);
  assert.match(offline.stdout, /answered from the config alone/);
  assert.doesNotMatch(offline.stdout, /unhealthy/);
});
