import { detailsOf, stateOf } from './backend-state.js';
import { element, setAttribute, setText } from './dom.js';
import { PoolBar } from './pool-bar.js';
import { TrafficFigures } from './traffic-cells.js';
import { sinceWords } from './words.js';

export const BACKEND_COLUMNS = [
  'Backend',
  'State',
  'Attempts',
  'Errors (5xx)',
  'p99 (p50)',
  'Connections',
  'Change',
];

/** One backend in the table of its service. */
export class BackendRow {
  #figures = new TrafficFigures();
  #pool = new PoolBar();
  #badge = element('span', { class: 'badge' });
  #reason = element('span', { class: 'reason' });
  #since = element('span', { class: 'since' });
  #details = element('span', { class: 'details' });
  #weight = element('span', { class: 'aside' });
  #drain = element('button', { type: 'button' });
  #disable = element('button', { type: 'button' });
  #backend = /** @type {any} */ (undefined);
  service;
  name;
  /** What the filter looks in. */
  text = '';
  needsAttention = false;

  /**
   * @param {string} service
   * @param {string} name
   * @param {{ id: string, sight: import('./traffic-cells.js').Sight, ask: (action: string, row: BackendRow, backend: any) => void }} context
   */
  constructor(service, name, { id, sight, ask }) {
    this.service = service;
    this.name = name;
    const state = element(
      'div',
      { class: 'state' },
      this.#badge,
      ' ',
      this.#reason,
      ' ',
      this.#since,
      this.#details,
    );
    const change = element('div', { class: 'buttons' }, this.#drain, this.#disable);
    this.node = element(
      'tr',
      { id, role: 'row', tabindex: '-1' },
      element('th', { role: 'rowheader', scope: 'row', class: 'name' }, name, ' ', this.#weight),
      cell(1, state),
      cell(2, this.#figures.rate.node),
      cell(3, this.#figures.errors.node),
      cell(4, this.#figures.latency.node),
      cell(5, this.#pool.node),
      cell(6, change),
    );
    sight.follow(this.node, (seen) => this.#figures.setSeen(seen));
    for (const button of [this.#drain, this.#disable]) {
      button.addEventListener('click', () => ask(button.dataset['action'] ?? '', this, this.#backend));
    }
  }

  /** @param {any} backend @param {any} snapshot */
  update(backend, snapshot) {
    this.#backend = backend;
    const { word, level, reason } = stateOf(backend);
    setText(this.#badge, word);
    setAttribute(this.node, 'data-level', level);
    const since = sinceWords(backend.since, snapshot.nowMs);
    setText(this.#reason, reason);
    setText(this.#since, since);
    setText(this.#details, detailsOf(backend));
    setText(this.#weight, `weight ${backend.weight}`);
    this.#figures.update(backend.traffic, snapshot);
    this.#pool.update(backend.pool, backend.pending);
    const { admin } = backend;
    this.#offer(this.#drain, admin === 'draining' ? 'undrain' : 'drain', admin === 'disabled');
    this.#offer(this.#disable, admin === 'disabled' ? 'enable' : 'disable', false);
    this.needsAttention =
      level === 'bad' || level === 'off' || (level === 'trial' && backend.breaker !== 'closed');
    this.text = `${this.service} ${this.name} ${word} ${reason}`.toLowerCase();
  }

  /** The button stays the same when what it does is turned round, so that focus stays. */
  /** @param {HTMLElement} button @param {string} action @param {boolean} hidden */
  #offer(button, action, hidden) {
    if (button.dataset['action'] !== action) {
      const word = `${action[0]?.toUpperCase()}${action.slice(1)}`;
      button.dataset['action'] = action;
      button.setAttribute('aria-label', `${word} ${this.name} of ${this.service}`);
      button.textContent = word;
    }
    if (button.hidden !== hidden) button.hidden = hidden;
  }
}

/** @param {number} column @param {...Node} children */
function cell(column, ...children) {
  return element('td', { role: 'cell', 'data-column': BACKEND_COLUMNS[column] ?? '' }, ...children);
}
