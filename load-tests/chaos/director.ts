import { sleep } from 'k6';
import { Counter, Trend } from 'k6/metrics';
import type { Service } from '../traffic/routes.ts';
import type { Backend } from './backends.ts';
import type { Fault } from './faults.ts';
import { type BackendView, readView } from './gateway-view.ts';
import { order, restore } from './knobs.ts';
import type { Schedule, Slot } from './schedule.ts';
import { type Use, Victims } from './victims.ts';

/** How often the gateway is asked what it thinks. */
const LOOK_S = 0.2;

/** All in seconds since the load started. They carry the timeline into the summary, which no variable could reach. */
const started = new Trend('chaos_fault_start');
const noticed = new Trend('chaos_noticed');
const already = new Trend('chaos_out_already');
const ended = new Trend('chaos_fault_end');
const back = new Trend('chaos_back');
const ordersFailed = new Counter('chaos_orders_failed');

export interface Scene {
  readonly schedule: Schedule;
  readonly services: ReadonlyMap<Service, readonly Backend[]>;
  readonly adminUrl: string;
  /** Seconds since the load started. */
  readonly elapsedS: () => number;
}

/** Breaks one backend of every service at a time, puts it right again, and writes down when, and when the gateway noticed. */
export class Director {
  readonly #scene: Scene;
  readonly #victims: Victims;

  constructor(scene: Scene) {
    this.#scene = scene;
    this.#victims = new Victims(scene.services);
  }

  /** The whole performance; takes as long as the schedule. */
  play(): void {
    for (const slot of this.#scene.schedule.slots) {
      const { fault, startS, endS, settledS } = slot;
      this.#wait(startS);
      const before = readView(this.#scene.adminUrl);
      const victims = this.#victims.next(({ address }) => useOf(address, before));
      this.#break(fault, victims);
      const touched = victims.filter(({ address }) => useOf(address, before) !== 'out');
      for (const victim of victims) {
        if (!touched.includes(victim)) this.#note(already, fault, victim, 'was out of rotation already');
      }
      this.#watch(endS, touched, 'out', (victim, reason) => {
        this.#note(noticed, fault, victim, `out of rotation (${reason})`);
      });
      this.#repair(slot, victims);
      this.#watch(settledS, victims, 'in', (victim) => this.#note(back, fault, victim, 'in rotation again'));
    }
  }

  #break(fault: Fault, victims: readonly Backend[]): void {
    this.#complain(order(victims, fault.order));
    for (const victim of victims) this.#note(started, fault, victim, fault.what);
  }

  #repair({ fault, settledS }: Slot, victims: readonly Backend[]): void {
    const { elapsedS } = this.#scene;
    let refused = restore(victims);
    // one that was killed may still be starting
    while (refused.length > 0 && elapsedS() < settledS) {
      sleep(LOOK_S);
      refused = restore(victims);
    }
    this.#complain(refused);
    for (const victim of victims) this.#note(ended, fault, victim, 'restored');
  }

  /** Looks at the gateway until then, and tells which of `victims` it sees out of the rotation, or in it, and why. */
  #watch(
    untilS: number,
    victims: readonly Backend[],
    where: 'out' | 'in',
    tell: (victim: Backend, reason: string) => void,
  ): void {
    const { adminUrl, elapsedS } = this.#scene;
    const left = new Set(victims);
    while (elapsedS() < untilS && left.size > 0) {
      const view = readView(adminUrl);
      for (const victim of left) {
        const seen = view?.get(victim.address);
        if (seen === undefined || (seen.use === 'out') !== (where === 'out')) continue;
        left.delete(victim);
        tell(victim, seen.reason);
      }
      this.#wait(Math.min(untilS, elapsedS() + LOOK_S));
    }
    this.#wait(untilS);
  }

  #wait(untilS: number): void {
    const leftS = untilS - this.#scene.elapsedS();
    if (leftS > 0) sleep(leftS);
  }

  #note(metric: Trend, fault: Fault, { label, address }: Backend, what: string): void {
    const atS = this.#scene.elapsedS();
    metric.add(atS, { fault: fault.name, backend: label });
    console.info(`${atS.toFixed(1)} s  ${fault.name}  ${label} (${address})  ${what}`);
  }

  #complain(refused: readonly string[]): void {
    ordersFailed.add(refused.length);
    for (const each of refused) console.error(`the order did not reach ${each}`);
  }
}

/** Without a view every backend is taken to be in use. */
function useOf(address: string, view: ReadonlyMap<string, BackendView> | undefined): Use {
  return view?.get(address)?.use ?? 'used';
}
