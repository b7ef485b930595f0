import { byId, setAttribute, setHidden, setText } from './dom.js';
import { duration, timeOfDay } from './words.js';

/** Whether what is shown is the present: in the corner, and where it matters at the top. */
export class LinkState {
  #link = byId('link');
  #text = byId('link-text');
  #retry = byId('link-retry');
  #announced = byId('announced');
  #title = byId('verdict-title');
  #section = byId('verdict');
  #short = byId('short');
  /** @type {import('./stream.js').LinkState} */
  #state = { kind: 'connecting' };
  /** By the gateway's clock, and when that was by ours. */
  #last = { gatewayMs: 0, hereMs: 0 };
  #lost = false;

  /** @param {() => void} retry */
  constructor(retry) {
    this.#retry.addEventListener('click', retry);
    setInterval(() => this.#show(), 1_000);
  }

  /** @param {import('./stream.js').LinkState} state */
  set(state) {
    this.#state = state;
    if (state.kind === 'lost') this.#lost = true;
    if (state.kind === 'live') this.#lost = false;
    this.#show();
  }

  /** @param {number} nowMs of the gateway */
  heard(nowMs) {
    this.#last = { gatewayMs: nowMs, hereMs: Date.now() };
    this.#show();
  }

  #show() {
    const { gatewayMs, hereMs } = this.#last;
    const known = gatewayMs > 0;
    setAttribute(this.#link, 'data-state', this.#lost ? 'lost' : this.#state.kind);
    setHidden(this.#retry, !this.#lost);
    document.documentElement.toggleAttribute('data-stale', this.#lost && known);
    if (!this.#lost) {
      setText(this.#text, this.#state.kind === 'live' ? `Live · ${timeOfDay(gatewayMs)} UTC` : 'Connecting…');
      return;
    }
    const old = known
      ? `last data ${timeOfDay(gatewayMs)} UTC, ${duration(Date.now() - hereMs)} ago`
      : 'no data yet';
    setText(this.#text, `Not live: ${old}`);
    // what was well then may not be now
    setAttribute(this.#section, 'data-level', 'lost');
    setAttribute(this.#short, 'data-level', 'lost');
    setText(this.#short, 'Connection lost');
    setText(this.#title, `Connection lost: ${this.#reason()}; ${old}${this.#next()}`);
    setText(this.#announced, `Connection lost. ${known ? `Last data ${timeOfDay(gatewayMs)} UTC.` : ''}`);
    document.title = '(lost) Portway';
  }

  #reason() {
    if (this.#state.kind === 'lost') this.#why = this.#state.reason;
    return this.#why;
  }

  #why = '';

  #next() {
    if (this.#state.kind !== 'lost') return '; trying again…';
    return `; trying again in ${duration(Math.max(0, this.#state.retryAtMs - Date.now()))}`;
  }
}
