import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { startBackends } from '../backends.ts';
import { casesNamed } from '../cases.ts';
import { makeCertificate } from '../certificate.ts';
import { runLoad } from '../load.ts';
import { inspect } from '../preflight.ts';
import { hasProgram, Processes } from '../processes.ts';

const skip = hasProgram('openssl') ? false : 'not installed: openssl';

it('the loads of our own and their backends understand each other', { skip }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'portway-drivers-'));
  const processes = new Processes(folder);
  after(async () => {
    await processes.close();
    rmSync(folder, { recursive: true });
  });
  const setting = { processes, folder, certificate: makeCertificate(folder) };
  const loads = casesNamed(['websocket', 'tcp', 'udp']);
  const portsOf = await startBackends(processes, folder, loads);
  const results = await Promise.all(
    loads.map(async (load) => {
      const [port = 0] = portsOf(load.protocol);
      assert.deepEqual(await inspect(port, load), { backends: 1, headers: [] });
      return runLoad(setting, load, port, 1);
    }),
  );
  for (const [index, { requests, socketErrors, badStatuses, p50Ms }] of results.entries()) {
    const name = loads[index]?.name ?? '';
    assert.ok(requests > 1, name);
    assert.equal(badStatuses, 0, name);
    assert.equal(p50Ms > 0, name !== 'tcp', name);
    // a machine that is busy with other tests may lose a datagram
    if (name !== 'udp') assert.equal(socketErrors, 0, name);
  }
});
