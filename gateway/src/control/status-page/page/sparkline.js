import { drawing } from './dom.js';

const POINTS = 120;
const WIDTH = 120;
const HEIGHT = 24;

/** A curve of the last two minutes; its newest value stands beside it as text, so readers of text miss nothing. */
export class Sparkline {
  #line = drawing('path', { class: 'line' });
  #area = drawing('path', { class: 'area' });
  node = drawing(
    'svg',
    {
      class: 'spark',
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      preserveAspectRatio: 'none',
      'aria-hidden': 'true',
      focusable: 'false',
    },
    this.#area,
    this.#line,
  );
  #floor;

  /**
   * @param {string} kind rate, errors or latency
   * @param {number} floor what is full height at least, so that noise looks small
   */
  constructor(kind, floor) {
    this.#floor = floor;
    this.node.setAttribute('data-kind', kind);
  }

  /** @param {readonly (number | null)[]} values oldest first; null where there is none */
  draw(values) {
    let top = this.#floor;
    let most = 0;
    for (const value of values) if (value !== null && value > most) most = value;
    if (most > top) top = most;
    // nothing happened: no line, or it would look like something
    if (most === 0) values = [];
    const offset = POINTS - values.length;
    let line = '';
    let area = '';
    let begun = -1;
    for (let index = 0; index <= values.length; index += 1) {
      const value = values[index] ?? null;
      const x = offset + index + 0.5;
      if (value === null) {
        if (begun >= 0) area += `L${x - 1} ${HEIGHT}L${begun} ${HEIGHT}Z`;
        begun = -1;
        continue;
      }
      const y = (HEIGHT - 1 - (value / top) * (HEIGHT - 3)).toFixed(1);
      // one second alone is a dot of the line's width
      const step = begun < 0 ? `M${x - 0.5} ${y}L${x} ${y}` : `L${x} ${y}`;
      if (begun < 0) begun = x - 0.5;
      line += step;
      area += step;
    }
    this.#line.setAttribute('d', line);
    this.#area.setAttribute('d', area);
  }
}

/** What a curve is drawn from: points as they come, gaps where seconds were missed. */
export class Curve {
  /** @type {(readonly [number, number, number | null] | null)[]} */
  #points = [];
  #sample = -1;

  /**
   * @param {{ point: readonly [number, number, number | null], history?: readonly (readonly [number, number, number | null])[] } | undefined} traffic
   * @param {number} sample which second it is
   */
  add(traffic, sample) {
    if (traffic === undefined) return;
    if (traffic.history !== undefined) this.#points = [...traffic.history];
    else if (sample > this.#sample) {
      const missed = this.#sample < 0 ? 0 : Math.min(POINTS, sample - this.#sample - 1);
      for (let index = 0; index < missed; index += 1) this.#points.push(null);
      this.#points.push(traffic.point);
    }
    this.#sample = sample;
    if (this.#points.length > POINTS) this.#points.splice(0, this.#points.length - POINTS);
  }

  /** @param {0 | 1 | 2} which rate, errors, p99 */
  values(which) {
    return this.#points.map((point) => point?.[which] ?? null);
  }
}
