import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { loadConfig } from '../../gateway/src/control/config/load.ts';
import { type Case, casesNamed } from '../cases.ts';
import { makeCertificate } from '../certificate.ts';
import { portwayConfig } from '../configs/portway.ts';
import { type Peer, RIVALS } from '../peers.ts';
import { hasProgram } from '../processes.ts';

const LAUNCH = { port: 18_080, adminPort: 9901, backendPorts: [13_001, 13_002, 13_003], nodeFlags: [] };

describe('the configs of each protocol', { skip: !hasProgram('openssl') }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'portway-configs-'));
  after(() => rmSync(folder, { recursive: true }));
  const certificate = makeCertificate(folder);
  const loads = casesNamed(['small', 'tls', 'h2', 'websocket', 'tcp', 'udp']);

  it('are right for Portway', () => {
    for (const { name, protocol } of loads) {
      const text = portwayConfig({ ...LAUNCH, routes: 1, maxBodySize: '10MiB', protocol, certificate });
      const readFile = (path: string): string => readFileSync(path, 'utf8');
      const loaded = loadConfig({ text, file: 'bench.yaml' }, { env: {}, readFile, nowMs: Date.now() });
      assert.deepEqual(loaded.ok ? loaded.warnings : loaded, [], name);
    }
  });

  /** What the program itself says of the config that it would be started with. */
  function checked(peerName: string, check: (command: readonly string[]) => readonly string[]): void {
    const peer = RIVALS.find(({ name }) => name === peerName);
    for (const load of loads.filter((each) => peer?.supports(each))) {
      const [program = '', ...args] = check(commandOf(peer, load));
      const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' });
      assert.equal(status, 0, `${load.name}: ${stderr}`);
    }
  }

  function commandOf(peer: Peer | undefined, load: Case): readonly string[] {
    return peer?.command({ ...LAUNCH, folder, certificate, load }) ?? [];
  }

  it('are right for nginx', { skip: !hasProgram('nginx') }, () => {
    checked('nginx', (command) => [...command, '-t']);
  });

  it('are right for HAProxy', { skip: !hasProgram('haproxy') }, () => {
    checked('haproxy', (command) => [...command, '-c']);
  });
});
