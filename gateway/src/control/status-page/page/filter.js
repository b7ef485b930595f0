import { byId, setHidden, setText } from './dom.js';

/** Shows of hundreds of rows those that are asked for. */
export class Filter {
  #input = /** @type {HTMLInputElement} */ (byId('filter'));
  #onlyWrong = /** @type {HTMLInputElement} */ (byId('only-wrong'));
  #shown = byId('shown');
  #routesNone = byId('routes-none');
  #servicesNone = byId('services-none');

  /** @param {() => void} onChange */
  constructor(onChange) {
    this.#input.addEventListener('input', onChange);
    this.#onlyWrong.addEventListener('change', onChange);
  }

  get active() {
    return this.#onlyWrong.checked || this.#input.value.trim() !== '';
  }

  /** Shows everything again. */
  clear() {
    this.#input.value = '';
    this.#onlyWrong.checked = false;
  }

  /** @param {readonly import('./service-card.js').ServiceCard[]} cards @param {readonly import('./route-row.js').RouteRow[]} routes */
  apply(cards, routes) {
    const words = this.#input.value
      .toLowerCase()
      .split(/\s+/)
      .filter((word) => word !== '');
    const onlyWrong = this.#onlyWrong.checked;
    /** @param {{ text: string, needsAttention: boolean }} one */
    const wanted = (one) =>
      (!onlyWrong || one.needsAttention) && words.every((word) => one.text.includes(word));
    let shown = 0;
    let all = 0;
    for (const card of cards) {
      let inCard = 0;
      for (const row of card.rows) {
        const show = wanted(row);
        setHidden(row.node, !show);
        if (show) inCard += 1;
      }
      all += card.rows.length;
      shown += inCard;
      setHidden(card.node, this.active && inCard === 0 && !(card.rows.length === 0 && wanted(card)));
    }
    let shownRoutes = 0;
    for (const route of routes) {
      const show = wanted(route);
      setHidden(route.node, !show);
      if (show) shownRoutes += 1;
    }
    setText(
      this.#shown,
      this.active ? `${shown} of ${all} backends, ${shownRoutes} of ${routes.length} routes` : '',
    );
    this.#none(this.#routesNone, routes.length, shownRoutes, 'route');
    this.#none(this.#servicesNone, all, shown, 'backend');
  }

  /** @param {HTMLElement} node @param {number} all @param {number} shown @param {string} what */
  #none(node, all, shown, what) {
    setHidden(node, shown > 0);
    setText(node, all === 0 ? `There is no ${what}.` : `No ${what} is like that.`);
  }
}
