import type { ServerResponse } from 'node:http';
import type { DataEvent } from '../../data/port.ts';
import { EventHistory } from './event-history.ts';
import { Snapshots } from './snapshot.ts';
import type { StatusPageDeps } from './status-page-deps.ts';
import { TrafficWindow } from './traffic-window.ts';
import { TunnelWindow } from './tunnel-window.ts';
import { messageOf, Watcher } from './watcher.ts';

/** Each costs a snapshot a second; people are few. */
export const MAX_WATCHERS = 32;

const SAMPLE_MS = 1_000;
/** Timers may fire a little early. */
const SLACK_MS = 10;
/** A page that is loaded anew finds its sparklines again. */
const LINGER_MS = 120_000;

/**
 * What the status page shows, sent to whoever watches: a snapshot each second, events at once. While nobody watches it
 * only keeps the last events; two minutes after the last has gone it stops sampling too.
 */
export class LiveFeed {
  readonly #deps: StatusPageDeps;
  readonly #history: EventHistory;
  readonly #window: TrafficWindow;
  readonly #tunnels = new TunnelWindow();
  readonly #snapshots: Snapshots;
  readonly #watchers = new Set<Watcher>();
  #stopTicks: (() => void) | undefined;
  #lastTickMs = 0;
  #watchedMs = 0;
  #flushing = false;
  #failed = false;
  #closed = false;

  constructor(deps: StatusPageDeps) {
    this.#deps = deps;
    this.#history = new EventHistory(() => deps.clock.wallNow());
    this.#window = new TrafficWindow(deps.latencyBoundsMs);
    this.#snapshots = new Snapshots(deps, this.#window, this.#tunnels, this.#history);
  }

  get watchers(): number {
    return this.#watchers.size;
  }

  /** Whether it looks at counters each second. */
  get sampling(): boolean {
    return this.#stopTicks !== undefined;
  }

  /** Hears what happens in the data plane: cheap, since requests wait for it. */
  onEvent(event: DataEvent): void {
    const isNews = this.#history.add(event);
    if (!isNews || this.#watchers.size === 0 || this.#flushing) return;
    this.#flushing = true;
    // not on the request's time, and all of one moment together
    setImmediate(() => {
      this.#flushing = false;
      for (const watcher of this.#watchers) watcher.sendEvents();
    });
  }

  /**
   * Prepares for one more watcher: what is returned sends everything from now on to a response that has nothing written
   * yet, and must be called before anything else happens.
   * @throws whatever the gateway's own account of itself throws
   */
  welcome(): (response: ServerResponse) => void {
    this.#begin();
    const first = messageOf('snapshot', this.#snapshots.take(true));
    return (response) => {
      const watcher = new Watcher(response, (seq) => this.#history.after(seq), this.#history.lastSeq);
      this.#watchers.add(watcher);
      response.once('close', () => this.#leave(watcher));
      watcher.send(`retry: 2000\n\n${first}`);
    };
  }

  /** Whether nobody more may watch. */
  get full(): boolean {
    return this.#closed || this.#watchers.size >= MAX_WATCHERS;
  }

  /** Ends every stream. */
  close(): void {
    this.#closed = true;
    this.#stop();
    for (const watcher of this.#watchers) watcher.end();
    this.#watchers.clear();
  }

  #begin(): void {
    if (this.#stopTicks !== undefined) return;
    const { clock } = this.#deps;
    this.#window.clear();
    this.#tunnels.clear();
    this.#snapshots.clear();
    this.#read(clock.now());
    this.#lastTickMs = clock.now();
    this.#watchedMs = clock.now();
    this.#stopTicks = clock.every(SAMPLE_MS, () => this.#tick());
  }

  #stop(): void {
    this.#stopTicks?.();
    this.#stopTicks = undefined;
  }

  #leave(watcher: Watcher): void {
    this.#watchers.delete(watcher);
    this.#watchedMs = this.#deps.clock.now();
  }

  #tick(): void {
    const nowMs = this.#deps.clock.now();
    if (nowMs - this.#lastTickMs < SAMPLE_MS - SLACK_MS) return;
    this.#lastTickMs = nowMs;
    if (this.#watchers.size > 0) this.#watchedMs = nowMs;
    if (nowMs - this.#watchedMs >= LINGER_MS) {
      this.#stop();
      return;
    }
    try {
      this.#read(nowMs);
      this.#sendAll();
      this.#failed = false;
    } catch (error) {
      this.#beat(error);
    }
  }

  #read(nowMs: number): void {
    const traffic = this.#deps.traffic();
    this.#window.read(traffic, nowMs);
    this.#tunnels.read(traffic, nowMs);
  }

  #sendAll(): void {
    for (const watcher of this.#watchers) if (!watcher.tick()) this.#leave(watcher);
    const ready = [...this.#watchers].filter(({ behind }) => !behind);
    if (ready.length === 0) return;
    const message = messageOf('snapshot', this.#snapshots.take(false));
    for (const watcher of ready) watcher.send(message);
  }

  /** The gateway serves requests also when it cannot give an account of itself; watchers are told that they see nothing. */
  #beat(error: unknown): void {
    if (!this.#failed) {
      const reason = error instanceof Error ? error.message : 'something was thrown that is no error';
      this.#deps.log('error', `status page: ${reason}`);
    }
    this.#failed = true;
    for (const watcher of this.#watchers) if (!watcher.behind) watcher.send(': no snapshot\n\n');
  }
}
