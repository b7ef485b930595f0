import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { healthOf, ROUNDS, SOME, setScene } from './scene.ts';

test('a backend that is killed costs no idempotent request', async (t) => {
  const { backends, gateway, load, finish } = await setScene(t);
  for (let round = 0; round < ROUNDS; round++) {
    const victim = backends[round % backends.length];
    assert.ok(victim !== undefined);
    await victim.kill();
    await gateway.untilOut(victim.name);
    await load.more(SOME);
    await victim.run();
    await gateway.untilIn(victim.name);
    await load.more(SOME);
  }
  await finish('lose posts');
});

test('a backend that hangs costs no idempotent request, only time', async (t) => {
  const { backends, gateway, load, finish } = await setScene(t);
  for (let round = 0; round < ROUNDS; round++) {
    const victim = backends[round % backends.length];
    assert.ok(victim !== undefined);
    victim.pause();
    await gateway.untilOut(victim.name);
    await load.more(SOME);
    victim.resume();
    await gateway.untilIn(victim.name);
    await load.more(SOME);
  }
  await finish('lose posts');
});

test('a backend that goes down and up every second costs no idempotent request', async (t) => {
  // it is trusted again as soon as it is up
  const service = { health: { ...healthOf(), rise: 1 }, slowStart: false };
  const { backends, gateway, load, finish } = await setScene(t, { service });
  const [victim] = backends;
  assert.ok(victim !== undefined);
  for (let round = 0; round < ROUNDS; round++) {
    await victim.tell('down');
    await delay(1_000);
    await victim.tell('up');
    await delay(1_000);
  }
  await load.more(SOME);
  await finish('lose posts');
  const back = gateway.lines.filter((line) => line.includes(`${victim.name} is in again`));
  assert.ok(back.length > 1, `it came back only ${back.length} times`);
});

test('a backend that accepts connections and closes them costs no idempotent request', async (t) => {
  const { backends, gateway, load, finish } = await setScene(t);
  for (let round = 0; round < ROUNDS; round++) {
    const victim = backends[round % backends.length];
    assert.ok(victim !== undefined);
    await victim.tell('accept-and-close');
    await gateway.untilOut(victim.name);
    await load.more(SOME);
    await victim.tell('normal');
    await gateway.untilIn(victim.name);
    await load.more(SOME);
  }
  await finish('lose posts');
});
