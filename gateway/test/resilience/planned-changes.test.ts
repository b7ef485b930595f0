import { test } from 'node:test';
import { configOf, ROUNDS, SOME, setScene } from './scene.ts';

test('a rolling restart of all backends costs no idempotent request', async (t) => {
  const { backends, gateway, load, finish } = await setScene(t);
  for (let round = 0; round < ROUNDS; round++) {
    for (const backend of backends) {
      await backend.stop();
      await load.more(SOME);
      await backend.run();
      await gateway.untilIn(backend.name);
    }
  }
  await load.more(SOME);
  await finish('lose posts');
});

test('draining backends and taking that back costs no request of any kind', async (t) => {
  const { backends, gateway, load, finish } = await setScene(t);
  for (let round = 0; round < ROUNDS; round++) {
    for (const { name } of backends) {
      await gateway.post(`services/web/backends/${name}/drain`);
      await gateway.untilBackend(name, 'drained', ({ eligible, pending }) => !eligible && pending === 0);
      await load.more(SOME / 2);
      await gateway.post(`services/web/backends/${name}/undrain`);
      await gateway.untilIn(name);
    }
  }
  await load.more(SOME);
  await finish();
});

test('fifty reloads cost no request of any kind', async (t) => {
  const { backends, gateway, load, finish } = await setScene(t, { backends: 4 });
  for (let round = 0; round < 50; round++) {
    // one goes and comes back as another, weights and a service setting change
    const without = round % 4;
    const service = {
      balance: round % 2 === 0 ? 'round-robin' : 'p2c',
      pool: { maxConnections: 50 + round },
    };
    await gateway.reload(configOf({ backends: backends.filter((_, i) => i !== without), service }));
    await load.more(SOME / 3);
  }
  await load.more(SOME);
  await finish();
});
