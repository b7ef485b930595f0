/**
 * Prints what a breaker costs a request that goes well or fails, what the other ways to tell opossum would cost, and
 * what a breaker weighs: `node --expose-gc bench/micro/breaker.ts`.
 */
import CircuitBreaker from 'opossum';
import { Breaker } from '../../gateway/src/data/breaker.ts';
import type { BreakerPlan } from '../../gateway/src/data/plan.ts';
import { systemClock, TimerWheel } from '../../gateway/src/time.ts';

const CALLS = 400_000;
const ROUNDS = 7;
/** Promises are settled this many at a time, as the requests of one turn of the event loop would be. */
const BATCH = 64;
const MANY = 10_000;

const wheel = new TimerWheel(systemClock);
const plan: BreakerPlan = {
  failurePercent: 50,
  minRequests: 20,
  windowMs: 10_000,
  openMs: 5_000,
  maxOpenMs: 60_000,
  slowCallMs: 0,
  slowPercent: 80,
};

function breaker(changes: Partial<BreakerPlan>): Breaker {
  const deps = { wheel, random: Math.random, onFlip: () => {}, onAdmits: () => {} };
  return new Breaker({ ...plan, ...changes }, deps);
}

/** The fastest round counts: the others measure the neighbours on this machine. */
async function report(name: string, calls: number, call: () => unknown, settle = true): Promise<void> {
  let fastestNs = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const startMs = performance.now();
    for (let turn = 0; turn < calls; turn++) {
      const outcome = call();
      if (settle && turn % BATCH === 0) await outcome;
    }
    fastestNs = Math.min(fastestNs, ((performance.now() - startMs) * 1e6) / calls);
  }
  console.log(`${name.padEnd(66)} ${fastestNs.toFixed(0).padStart(6)} ns`);
}

/** A thenable that has settled when opossum asks: what the adapter fires for failures. */
const good = {
  // biome-ignore lint/suspicious/noThenProperty: opossum asks for it
  then(tell: () => void) {
    tell();
    return good;
  },
  catch: () => good,
};

async function measureOpossum(): Promise<void> {
  const action = async (): Promise<void> => {};
  const known = (): Promise<void> => good as unknown as Promise<void>;
  const quiet = { rollingPercentilesEnabled: false, enableSnapshots: false } as const;
  const circuits = [
    ['opossum as it comes: async function, its timer', action, {}],
    ['opossum, timeout: false: async function', action, { timeout: false }],
    ['opossum, timeout: false, no snapshots: thenable that has settled', known, { timeout: false, ...quiet }],
  ] as const;
  for (const [name, act, options] of circuits) {
    const circuit = new CircuitBreaker(act, { ...options });
    await report(name, CALLS, () => circuit.fire());
    circuit.shutdown();
  }
  const circuit = new CircuitBreaker(action, { timeout: false, ...quiet });
  const emit = (): void => {
    circuit.emit('fire', []);
    circuit.emit('success', undefined, 0);
  };
  await report("opossum: emit('fire'), emit('success')", CALLS, emit, false);
  circuit.shutdown();
}

async function measureBreaker(): Promise<void> {
  for (const slowCallMs of [0, 500]) {
    const own = breaker({ slowCallMs });
    const succeed = (): void => own.succeeded(own.admit(), 3);
    const name = `Breaker: admit, succeeded${slowCallMs > 0 ? ', slow calls watched' : ''}`;
    await report(name, CALLS * 10, succeed, false);
    own.close();
  }
  const failing = breaker({ failurePercent: 100, windowMs: 600_000 });
  failing.succeeded(failing.admit(), 3);
  const fail = (): void => failing.failed(failing.admit());
  await report('Breaker: admit, failed, stays closed', CALLS / 10, fail);
  failing.close();
}

async function measureMaking(): Promise<void> {
  const make = (): void => breaker({}).close();
  await report('Breaker: made and closed', CALLS / 40, make, false);
  if (globalThis.gc === undefined) return;
  for (const slowCallMs of [0, 500]) {
    globalThis.gc();
    const before = process.memoryUsage().heapUsed;
    const breakers = Array.from({ length: MANY }, () => breaker({ slowCallMs }));
    globalThis.gc();
    const bytes = (process.memoryUsage().heapUsed - before) / breakers.length;
    console.log(
      `Breaker: memory${slowCallMs > 0 ? ', slow calls watched' : ''}`.padEnd(66),
      bytes.toFixed(0).padStart(6),
      'B',
    );
    for (const own of breakers) own.close();
  }
}

await measureOpossum();
await measureBreaker();
await measureMaking();
wheel.close();
