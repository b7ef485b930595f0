import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ByteEnd } from '../../src/data/tunnel/byte-end.ts';
import { WebSocketTunnel } from '../../src/data/tunnel/websocket-tunnel.ts';
import { TimerWheel } from '../../src/time.ts';
import { startGateway } from '../relay/gateway-in-test.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { plan } from '../support/plans.ts';
import { BINARY, CLOSE, type FrameOptions, frame, framesOf, PING, PONG, TEXT } from '../websocket/frames.ts';

const PING_MS = 1_000;

/** An end of a tunnel that keeps what it is sent, and is slow now and then. */
class KeptEnd implements ByteEnd {
  readonly broken = false;
  sent = '';
  pendingBytes = 0;
  isEnded = false;

  text(text: string): void {
    assert.equal(this.isEnded, false);
    this.sent += text;
  }

  bytes(bytes: Buffer, start: number, end: number): void {
    this.text(bytes.toString('latin1', start, end));
  }

  end(): void {
    this.isEnded = true;
  }

  flush(): void {}
  pause(): void {}
  resume(): void {}
  destroySoon(): void {}
  destroy(): void {}
}

const frames = fc.array(
  fc.record({
    opcode: fc.constantFrom(0, TEXT, BINARY, PONG),
    length: fc.oneof(fc.integer({ min: 0, max: 125 }), fc.constantFrom(126, 127, 65_536)),
  }),
  { maxLength: 6 },
);
/** What happens next: so many bytes come from one side, time goes by, or it is time to go. */
const events = fc.array(
  fc.oneof(
    {
      weight: 12,
      arbitrary: fc.tuple(fc.constantFrom('client', 'backend'), fc.integer({ min: 1, max: 90 })),
    },
    { weight: 4, arbitrary: fc.tuple(fc.constant('time'), fc.integer({ min: 50, max: 1_500 })) },
    { weight: 1, arbitrary: fc.tuple(fc.constant('leave'), fc.constant(0)) },
    { weight: 2, arbitrary: fc.tuple(fc.constantFrom('client', 'backend'), fc.constant(70_000)) },
  ),
  { maxLength: 40 },
);

function written(
  plans: readonly { readonly opcode: number; readonly length: number }[],
  options: FrameOptions,
): string {
  const texts = plans.map(({ opcode, length }) =>
    frame('x'.repeat(opcode === PONG ? Math.min(125, length) : length), { ...options, opcode }),
  );
  return texts.join('');
}

/** What `sent` holds less what is the gateway's own: Pings without payload, and a Close, after which nothing comes. */
function relayed(sent: string, isMasked: boolean): string {
  const whole = framesOf(sent);
  let text = '';
  let length = 0;
  for (const [index, { opcode, masked, payload }] of whole.entries()) {
    assert.equal(masked, isMasked);
    const bytes = frame(payload, { masked, opcode }).length;
    const isOurs = (opcode === PING && payload === '') || opcode === CLOSE;
    if (opcode === CLOSE) assert.equal(index, whole.length - 1);
    if (!isOurs) text += sent.slice(length, length + bytes);
    length += bytes;
  }
  return text + sent.slice(length);
}

test('Pings and Closes of the gateway stand between frames, wherever reads end and whenever they are said', async (t) => {
  const route = { webSocket: { maxConnections: 10, idleMs: 20_000, pingMs: PING_MS } };
  const { gateway } = await startGateway(t, plan([1], { route }));
  const [used] = gateway.data.routes;
  assert.ok(used);
  let pings = 0;
  let closes = 0;
  const property = fc.property(frames, frames, events, (fromClient, fromBackend, happening) => {
    const clock = new ManualClock();
    const wheel = new TimerWheel(clock);
    const [clientEnd, backendEnd] = [new KeptEnd(), new KeptEnd()];
    const parts = { route: used, backend: undefined, backendEnd, wheel, ended: () => {} };
    const tunnel = new WebSocketTunnel(parts, () => 0.3);
    tunnel.start(clientEnd);
    const left = {
      client: written(fromClient, { masked: true }),
      backend: written(fromBackend, { masked: false }),
    };
    const all = { ...left };
    for (const [who, much] of happening) {
      if (who === 'time') clock.advance(much);
      else if (who === 'leave') tunnel.leave('drain', 5_000);
      else {
        const side = who === 'client' ? 'client' : 'backend';
        const bytes = Buffer.from(left[side].slice(0, much), 'latin1');
        left[side] = left[side].slice(much);
        if (side === 'client') tunnel.onClientBytes(bytes, 0, bytes.length);
        else tunnel.onBackendBytes(bytes, 0, bytes.length);
      }
    }
    wheel.close();
    assert.ok(all.client.startsWith(relayed(backendEnd.sent, true)));
    assert.ok(all.backend.startsWith(relayed(clientEnd.sent, false)));
    const own = framesOf(clientEnd.sent);
    pings += own.filter(({ opcode }) => opcode === PING).length;
    closes += own.filter(({ opcode }) => opcode === CLOSE).length;
  });
  fc.assert(property, { numRuns: 600 });
  assert.ok(pings > 20 && closes > 20, `${pings} Pings and ${closes} Closes`);
});
