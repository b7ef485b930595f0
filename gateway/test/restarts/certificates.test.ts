import assert from 'node:assert/strict';
import { once } from 'node:events';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { type Certificate, makeCertificate } from '../agents/certificates.ts';
import { startHttpBackend } from '../agents/http-backend.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { runGateway } from './process.ts';

/** A folder with `cert.pem` and `key.pem`, each replaced as deployments do: at once, but not both at once. */
function certificateFolder(t: TestContext, first: Certificate) {
  const folder = temporaryFolder(t);
  const put = (name: string, text: string): void => {
    writeFileSync(join(folder, `${name}.next`), text);
    renameSync(join(folder, `${name}.next`), join(folder, name));
  };
  put('cert.pem', first.cert);
  put('key.pem', first.key);
  return { put, cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
}

async function handshake(t: TestContext, port: number): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', servername: 'localhost', rejectUnauthorized: false });
  t.after(() => socket.destroy());
  await once(socket, 'secureConnect');
  return socket;
}

/** Whether it was shown that certificate. */
const isShown = (socket: TLSSocket, { cert }: Certificate): boolean =>
  cert.replace(/-----[A-Z ]+-----|\s/g, '') === socket.getPeerX509Certificate()?.raw.toString('base64');

async function get(socket: TLSSocket): Promise<string> {
  let text = '';
  socket.on('data', (bytes) => {
    text += bytes;
  });
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  while (!text.endsWith('served')) await once(socket, 'data');
  return text;
}

test('a certificate is swapped while connections last, and not before its key is there too', async (t) => {
  const [old, renewed] = [1, 2].map(() => makeCertificate({ names: ['DNS:localhost'] }));
  assert.ok(old !== undefined && renewed !== undefined);
  const backend = await startHttpBackend(t, (_request, response) => void response.end('served'));
  const files = certificateFolder(t, old);
  const gateway = runGateway(t, {
    listeners: [{ address: '127.0.0.1:0', tls: { certificates: [{ cert: files.cert, key: files.key }] } }],
    admin: false,
    services: { web: { backends: [`http://127.0.0.1:${backend.port}`] } },
    routes: [{ path: '/', service: 'web' }],
  });
  await gateway.until(() => gateway.port > 0);
  const before = await handshake(t, gateway.port);
  assert.ok(isShown(before, old));
  await get(before);

  const refused = gateway.says('config: not reloaded (');
  files.put('cert.pem', renewed.cert);
  gateway.child.kill('SIGHUP');
  await refused;
  assert.ok(gateway.stderr.includes(`does not belong to the certificate in ${files.cert}`), gateway.stderr);
  assert.ok(isShown(await handshake(t, gateway.port), old));

  const reloaded = gateway.says('config: reloaded (file)');
  files.put('key.pem', renewed.key);
  await reloaded;
  assert.ok(isShown(await handshake(t, gateway.port), renewed));
  await get(before);
  assert.equal(gateway.child.exitCode, null);
  assert.match(gateway.stdout, /~ listener 127\.0\.0\.1:0: tls\.certificates changed/);
  assert.ok(!gateway.stdout.includes('PRIVATE KEY') && !gateway.stdout.includes('[object'));
});
