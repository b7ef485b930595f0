import { element, setAttribute, setText } from './dom.js';
import { Curve, Sparkline } from './sparkline.js';
import { latency, percent, perSecond } from './words.js';

/** A number with its curve. */
class Figure {
  #value = element('span', { class: 'value' });
  #aside = element('span', { class: 'aside' });
  #spark;

  /** @param {string} kind @param {number} floor */
  constructor(kind, floor) {
    this.#spark = new Sparkline(kind, floor);
    this.node = element('div', { class: 'figure' }, this.#value, this.#aside, this.#spark.node);
  }

  /** @param {string | undefined} value undefined: there is none @param {string} [aside] */
  say(value, aside = '') {
    setText(this.#value, value ?? '–');
    setAttribute(this.node, 'data-empty', String(value === undefined));
    setText(this.#aside, aside);
  }

  /** @param {readonly (number | null)[]} values */
  draw(values) {
    this.#spark.draw(values);
  }
}

/** Rate, errors and p99 of a route, a service or a backend. */
export class TrafficFigures {
  rate = new Figure('rate', 1);
  errors = new Figure('errors', 1);
  latency = new Figure('latency', 5);
  #curve = new Curve();
  #seen = false;

  /** @param {any} traffic rates, or undefined before the second second @param {{ sample: number, longestMs: number }} snapshot */
  update(traffic, { sample, longestMs }) {
    this.#curve.add(traffic, sample);
    const { rate, errorShare, p50Ms, p99Ms } = traffic ?? {};
    this.rate.say(traffic === undefined ? undefined : perSecond(rate));
    this.errors.say(errorShare == null ? undefined : percent(errorShare));
    this.errors.node.dataset['level'] = errorShare > 0 ? 'bad' : 'good';
    const p50 = p50Ms == null ? '' : `(${latency(p50Ms, longestMs)})`;
    this.latency.say(p99Ms == null ? undefined : latency(p99Ms, longestMs), p50);
    if (this.#seen) this.#draw();
  }

  /** Curves that nobody sees are not drawn: with hundreds of backends they are most of the work. @param {boolean} seen */
  setSeen(seen) {
    if (seen && !this.#seen) this.#draw();
    this.#seen = seen;
  }

  #draw() {
    this.rate.draw(this.#curve.values(0));
    this.errors.draw(this.#curve.values(1));
    this.latency.draw(this.#curve.values(2));
  }
}

/** Tells views whether their nodes are on the screen. */
export class Sight {
  /** @type {WeakMap<Element, (seen: boolean) => void>} */
  #listeners = new WeakMap();
  #observer = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) this.#listeners.get(target)?.(isIntersecting);
    },
    { rootMargin: '200px' },
  );

  /** @param {Element} node @param {(seen: boolean) => void} listener */
  follow(node, listener) {
    this.#listeners.set(node, listener);
    this.#observer.observe(node);
  }
}
