import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import type { ListenerPlan } from '../../src/data/plan.ts';
import { certificateFor, TlsClient, type TlsStage, tlsPlan, tlsStage } from './tls-stage.ts';

const certificate = certificateFor('a.example');
const { ca } = certificate;
type Version = 'TLSv1.2' | 'TLSv1.3';

/** A session that a client may resume. */
async function newSession(t: TestContext, port: number, version: Version): Promise<Buffer> {
  const client = new TlsClient(t, port, { ca, minVersion: version, maxVersion: version });
  const [session] = (await once(client.socket, 'session')) as [Buffer];
  client.socket.destroy();
  return session;
}

async function isResumed(t: TestContext, port: number, session: Buffer, version: Version): Promise<boolean> {
  const client = await TlsClient.open(t, port, { ca, session, minVersion: version, maxVersion: version });
  await client.get().contains('ok');
  return client.socket.isSessionReused();
}

function applyTo(stage: TlsStage, changes: Partial<ListenerPlan>): Promise<unknown> {
  const [listener] = stage.plan.listeners;
  const changed = { ...listener, ...changes } as ListenerPlan;
  return stage.gateway.data.apply({ ...stage.plan, listeners: [changed] });
}

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`${version}: gateways that share their ticket keys resume each other's sessions, others do not`, async (t) => {
    const ticketKeys = randomBytes(48);
    const first = await tlsStage(t, tlsPlan([certificate]), { ticketKeys });
    const second = await tlsStage(t, tlsPlan([certificate]), { ticketKeys });
    const stranger = await tlsStage(t, tlsPlan([certificate]));
    assert.equal(await isResumed(t, first.port, await newSession(t, first.port, version), version), true);
    assert.equal(await isResumed(t, second.port, await newSession(t, first.port, version), version), true);
    assert.equal(await isResumed(t, stranger.port, await newSession(t, first.port, version), version), false);
  });

  test(`${version}: sessions are resumed across a reload with another certificate`, async (t) => {
    const stage = await tlsStage(t, tlsPlan([certificate]));
    const session = await newSession(t, stage.port, version);
    await applyTo(stage, { tls: tlsPlan([certificate, certificateFor('b.example')]) });
    assert.equal(await isResumed(t, stage.port, session, version), true);
  });

  test(`${version}: a session of a listener that asks for no certificate opens none that does`, async (t) => {
    const ticketKeys = randomBytes(48);
    const open = await tlsStage(t, tlsPlan([certificate]), { ticketKeys });
    const guarded = tlsPlan([certificate], { clientCa: ca, clientCertificate: 'optional' });
    const closed = await tlsStage(t, guarded, { ticketKeys });
    assert.equal(await isResumed(t, closed.port, await newSession(t, open.port, version), version), false);
  });
}
