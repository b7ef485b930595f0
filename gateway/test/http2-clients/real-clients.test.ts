import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { makeCertificate } from '../agents/certificates.ts';
import { startHttpBackend } from '../agents/http-backend.ts';
import { allQuiet } from '../relay/gateway-in-test.ts';
import { sha256 } from '../relay/pattern.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { tlsPlan } from '../tls/tls-stage.ts';
import { HTTP2, http2Gateway } from './http2-stage.ts';

const run = promisify(execFile);

async function tlsGateway(t: TestContext, port: number): Promise<{ port: number; ca: string }> {
  const { cert, key, ca } = makeCertificate({ names: ['DNS:localhost', 'IP:127.0.0.1'] });
  const tls = tlsPlan([{ names: ['localhost'], cert, key }]);
  const gateway = await http2Gateway(t, [port], { listener: { tls, http2: HTTP2 } });
  const file = join(temporaryFolder(t), 'ca.pem');
  writeFileSync(file, ca);
  return { port: gateway.port, ca: file };
}

test('curl uploads and downloads over HTTP/2, with prior knowledge and over TLS', async (t) => {
  const backend = await startHttpBackend(t, (request, response) => request.pipe(response));
  const gateway = await http2Gateway(t, [backend.port], { route: { maxBodyBytes: 1e9 } });
  const secure = await tlsGateway(t, backend.port);
  const body = randomBytes(5_000_000);
  const file = join(temporaryFolder(t), 'body');
  writeFileSync(file, body);
  const sum = sha256(body);
  for (const how of [
    ['--http2-prior-knowledge', `http://127.0.0.1:${gateway.port}/up`],
    ['--http2', '--cacert', secure.ca, `https://127.0.0.1:${secure.port}/up`],
  ]) {
    const common = ['-sS', '-o', `${file}.back`, '-w', '%{http_version} %{response_code}', ...how];
    for (const upload of [
      ['--data-binary', `@${file}`],
      ['-T', '-', '-X', 'POST'],
    ]) {
      const running = run('curl', [...upload, ...common]);
      running.child.stdin?.end(upload[0] === '-T' ? body : undefined);
      assert.equal((await running).stdout, '2 200');
      const { stdout } = await run('sha256sum', [`${file}.back`]);
      assert.equal(stdout.slice(0, 64), sum);
    }
  }
});

test('h2load has every request answered, in the clear and over TLS', async (t) => {
  const backend = await startHttpBackend(t, (_request, response) => response.end('x'.repeat(600)));
  const gateway = await http2Gateway(t, [backend.port]);
  const secure = await tlsGateway(t, backend.port);
  for (const url of [`http://127.0.0.1:${gateway.port}/`, `https://127.0.0.1:${secure.port}/`]) {
    const { stdout } = await run('h2load', ['-n', '1000', '-c', '2', '-m', '50', url]);
    assert.match(stdout, /1000 succeeded, 0 failed, 0 errored, 0 timeout/);
  }
  await allQuiet(gateway);
});
