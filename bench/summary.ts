import type { Case } from './cases.ts';
import type { Machine } from './machine.ts';
import type { Sample } from './measure.ts';
import { type Reading, ratio, type Spread, spread } from './statistics.ts';

/** The peer that all others are set against. */
export const SELF = 'portway';

/** All rounds of one peer under one case. */
export interface PeerSummary {
  readonly peer: string;
  readonly cpuUsPerRequest: Spread;
  readonly cpuUsPerMib: Spread | undefined;
  readonly userShare: number;
  readonly busyShare: number;
  readonly waitedShare: number;
  readonly requestsPerSecond: Spread;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly peakRssBytes: number;
  readonly socketErrors: number;
  readonly badStatuses: number;
  /** Its CPU per request ÷ Portway's of the same round. */
  readonly ratio: Spread | undefined;
  /** Its CPU per request ÷ its own under the case this one is compared with, in the same round. */
  readonly growth: Spread | undefined;
  readonly backends: number;
  readonly headers: readonly string[];
}

/** All peers under one case. */
export interface CaseSummary {
  readonly name: string;
  readonly about: string;
  /** Left out in results of before there were others than requests. */
  readonly unit?: Case['unit'];
  readonly comparedWith: string | undefined;
  readonly peers: readonly PeerSummary[];
}

/** A whole run, as written to bench/results/latest.json. */
export interface Summary {
  readonly date: string;
  readonly machine: Machine;
  readonly rounds: number;
  readonly seconds: number;
  readonly versions: Readonly<Record<string, string>>;
  readonly skipped: readonly string[];
  readonly cases: readonly CaseSummary[];
}

const cost = (samples: readonly Sample[]): readonly Reading[] =>
  samples.map((sample) => ({ round: sample.round, value: sample.cpuUsPerRequest }));

function summarizePeer(peer: string, all: readonly Sample[], load: Case): PeerSummary {
  const of = (name: string, caseName: string): readonly Sample[] =>
    all.filter((sample) => sample.peer === name && sample.load === caseName);
  const mine = of(peer, load.name);
  const over = (figure: (sample: Sample) => number): Spread => spread(mine.map(figure));
  const sum = (figure: (sample: Sample) => number): number =>
    mine.reduce((total, each) => total + figure(each), 0);
  return {
    peer,
    cpuUsPerRequest: over((sample) => sample.cpuUsPerRequest),
    cpuUsPerMib: load.bodyBytes === 0 ? undefined : over((sample) => sample.cpuUsPerMib ?? 0),
    userShare: over((sample) => sample.userShare).median,
    busyShare: over((sample) => sample.busyShare).median,
    waitedShare: over((sample) => sample.waitedShare).median,
    requestsPerSecond: over((sample) => sample.requestsPerSecond),
    p50Ms: over((sample) => sample.p50Ms).median,
    p99Ms: over((sample) => sample.p99Ms).median,
    peakRssBytes: over((sample) => sample.peakRssBytes).greatest,
    socketErrors: sum((sample) => sample.socketErrors),
    badStatuses: sum((sample) => sample.badStatuses),
    ratio: ratio(cost(mine), cost(of(SELF, load.name))),
    growth:
      load.comparedWith === undefined ? undefined : ratio(cost(mine), cost(of(peer, load.comparedWith))),
    backends: Math.max(...mine.map((sample) => sample.work.backends)),
    headers: mine[0]?.work.headers ?? [],
  };
}

/**
 * The results with those of an earlier run for the cases that were not measured now, so that a long comparison can be made
 * case by case. Only from the same day, machine, rounds and seconds: otherwise the earlier run is dropped.
 */
export function withEarlier(now: Summary, earlier: Summary | undefined, order: readonly string[]): Summary {
  const setting = ({ date, machine, rounds, seconds }: Summary): string =>
    JSON.stringify([date.slice(0, 10), machine, rounds, seconds]);
  if (earlier === undefined || setting(earlier) !== setting(now)) return now;
  const names = new Set(now.cases.map(({ name }) => name));
  const cases = [...now.cases, ...earlier.cases.filter(({ name }) => !names.has(name))];
  cases.sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
  return { ...now, versions: { ...earlier.versions, ...now.versions }, cases };
}

/** Puts the samples of one case together, peers in the order they were measured in first. */
export function summarizeCase(
  load: Case,
  samples: readonly Sample[],
  peerOrder: readonly string[],
): CaseSummary {
  const measured = peerOrder.filter((peer) =>
    samples.some((each) => each.peer === peer && each.load === load.name),
  );
  return {
    name: load.name,
    about: load.about,
    unit: load.unit,
    comparedWith: load.comparedWith,
    peers: measured.map((peer) => summarizePeer(peer, samples, load)),
  };
}
