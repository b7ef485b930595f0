import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { selfTimes } from '../profile.ts';

const node = (id: number, functionName: string, url: string) => ({
  id,
  callFrame: { functionName, url, lineNumber: 9 },
});

describe('the time of functions', () => {
  it('counts from the end, so that the start of the process stays out', () => {
    const nodes = [node(1, 'compile', ''), node(2, 'forward', '')];
    const times = selfTimes({ nodes, samples: [1, 2, 2], timeDeltas: [5000, 2000, 1000] }, '/app', 3);
    assert.deepEqual(times, [{ name: 'forward', ms: 3, share: 1 }]);
  });

  it('is their own, put together over call sites, with idle time left out', () => {
    const nodes = [
      node(1, '(idle)', ''),
      node(2, 'forward', 'file:///app/gateway/src/data/forward.ts'),
      node(3, 'forward', 'file:///app/gateway/src/data/forward.ts'),
      node(4, '(garbage collector)', ''),
    ];
    const times = selfTimes(
      { nodes, samples: [1, 2, 3, 4], timeDeltas: [9000, 2000, 1000, 1000] },
      '/app',
      100,
    );
    assert.deepEqual(times, [
      { name: 'forward gateway/src/data/forward.ts:10', ms: 3, share: 0.75 },
      { name: '(garbage collector)', ms: 1, share: 0.25 },
    ]);
  });
});
