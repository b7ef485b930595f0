/** Prints what one pick costs, by balancer and number of backends: `node bench/micro/balancers.ts`. */
import {
  type Candidate,
  createBalancer,
  type PickRequest,
} from '../../gateway/src/data/balancers/balancer.ts';
import { PeakEwma } from '../../gateway/src/data/peak-ewma.ts';
import type { BalancePlan } from '../../gateway/src/data/plan.ts';
import { systemClock } from '../../gateway/src/time.ts';

const PICKS = 500_000;
const ROUNDS = 5;

const plans: readonly BalancePlan[] = [
  { kind: 'round-robin' },
  { kind: 'least-pending' },
  { kind: 'p2c' },
  { kind: 'random' },
  { kind: 'hash', key: { from: 'clientIp' }, balanceFactor: 1.25 },
];

const request: PickRequest = {
  header: () => undefined,
  cookie: () => undefined,
  clientIp: '203.0.113.195',
  path: '/',
};

class Backend implements Candidate {
  readonly name: string;
  readonly weight: number;
  pending = 0;
  readonly #latency = new PeakEwma();

  constructor(index: number, weight: number) {
    this.name = `10.0.0.${index}:8080`;
    this.weight = weight;
    this.#latency.observe(5 + index / 10, systemClock.now());
  }

  latencyMs(nowMs: number): number {
    return this.#latency.read(nowMs);
  }
}

/** The fastest round counts: the others measure the neighbours on this machine. */
function measure(plan: BalancePlan, backends: readonly Backend[]): string {
  const balancer = createBalancer<Backend>(plan, { clock: systemClock, random: Math.random });
  let fastestNs = Number.POSITIVE_INFINITY;
  let heapBytes = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const heapBefore = process.memoryUsage().heapUsed;
    const startMs = performance.now();
    for (let turn = 0; turn < PICKS; turn++) {
      const backend = balancer.pick(backends, request);
      backend.pending = (backend.pending + 1) & 7;
    }
    fastestNs = Math.min(fastestNs, ((performance.now() - startMs) * 1e6) / PICKS);
    heapBytes = (process.memoryUsage().heapUsed - heapBefore) / PICKS;
  }
  return `${fastestNs.toFixed(0).padStart(6)} ns ${heapBytes.toFixed(1).padStart(6)} B`;
}

console.log('balancer          3 equal            3 by weight          50 equal');
for (const plan of plans) {
  const columns = [
    Array.from({ length: 3 }, (_, index) => new Backend(index, 1)),
    Array.from({ length: 3 }, (_, index) => new Backend(index, index + 1)),
    Array.from({ length: 50 }, (_, index) => new Backend(index, 1)),
  ].map((backends) => measure(plan, backends));
  console.log(plan.kind.padEnd(15), columns.join('    '));
}
