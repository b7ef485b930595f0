import type { Candidate } from '../../src/data/balancers/balancer.ts';
import { P2c } from '../../src/data/balancers/p2c.ts';
import type { PeakEwma } from '../../src/data/peak-ewma.ts';
import type { Random } from '../../src/time.ts';

export interface SimulatedBackend extends Candidate {
  pending: number;
  picks: number;
  /** Latencies are half of this plus an exponential part. */
  meanMs: number;
  readonly ewma: PeakEwma;
}

/** Sends requests through p2c at random moments of a virtual clock; what is still pending at the end is answered. */
export function simulate(setup: {
  readonly backends: readonly SimulatedBackend[];
  readonly random: Random;
  readonly requestsPerSecond: number;
  readonly fromMs: number;
  readonly untilMs: number;
}): void {
  const { backends, random } = setup;
  let nowMs = setup.fromMs;
  const balancer = new P2c<SimulatedBackend>({ now: () => nowMs }, random);
  const exponential = () => -Math.log(1 - random());
  const answers: { readonly atMs: number; readonly latencyMs: number; readonly backend: SimulatedBackend }[] =
    [];
  const answerUntil = (untilMs: number) => {
    answers.sort((one, other) => one.atMs - other.atMs);
    while ((answers[0]?.atMs ?? Number.POSITIVE_INFINITY) <= untilMs) {
      const answer = answers.shift();
      if (answer === undefined) return;
      answer.backend.pending--;
      answer.backend.ewma.observe(answer.latencyMs, answer.atMs);
    }
  };
  while (nowMs < setup.untilMs) {
    answerUntil(nowMs);
    const backend = balancer.pick(backends);
    const latencyMs = backend.meanMs * (0.5 + 0.5 * exponential());
    backend.pending++;
    backend.picks++;
    answers.push({ atMs: nowMs + latencyMs, latencyMs, backend });
    nowMs += (exponential() * 1000) / setup.requestsPerSecond;
  }
  answerUntil(Number.POSITIVE_INFINITY);
}
