import { BACKEND_COLUMNS, BackendRow } from './backend-row.js';
import { arrange, element, setAttribute, setText, viewsOf } from './dom.js';
import { TrafficFigures } from './traffic-cells.js';
import { counted } from './words.js';

/** One service: what leads to it, how it does, and its backends. */
export class ServiceCard {
  /** @type {Map<string, BackendRow>} */
  #rows = new Map();
  #figures = new TrafficFigures();
  #badge = element('span', { class: 'badge' });
  #routes = element('p', { class: 'from' });
  #facts = element('p', { class: 'quiet' });
  #body = element('tbody', { role: 'rowgroup' });
  #context;
  #mine = false;
  name;
  text = '';

  /**
   * @param {string} name
   * @param {{ newId: () => string, sight: import('./traffic-cells.js').Sight, ask: (action: string, row: BackendRow, backend: any) => void }} context
   */
  constructor(name, context) {
    this.name = name;
    this.#context = context;
    const id = context.newId();
    const titleId = `${id}-title`;
    const { rate, errors, latency } = this.#figures;
    const numbers = element(
      'div',
      { class: 'numbers' },
      captioned('Requests', rate.node),
      captioned('Errors (5xx)', errors.node),
      captioned('p99 (p50)', latency.node),
    );
    const title = element('h3', { id: titleId }, name);
    const summary = element('summary', {}, element('span', { class: 'head' }, title, this.#badge));
    this.node = element(
      'details',
      { class: 'service', id },
      summary,
      element('div', { class: 'about' }, element('div', {}, this.#routes, this.#facts), numbers),
      table(titleId, this.#body),
    );
    this.node.addEventListener('toggle', () => (this.#mine = true));
    context.sight.follow(numbers, (seen) => this.#figures.setSeen(seen));
  }

  /** @returns {readonly BackendRow[]} */
  get rows() {
    return [...this.#rows.values()];
  }

  /** @param {string} backend */
  row(backend) {
    return this.#rows.get(backend);
  }

  get needsAttention() {
    return this.node.dataset['level'] !== 'good' || this.rows.some((row) => row.needsAttention);
  }

  /** @param {any} service @param {any} snapshot @param {readonly string[]} routes */
  update(service, snapshot, routes) {
    const { name, backends, eligible, failOpen } = service;
    const all = backends.length;
    const tried = failOpen ? ', all are tried' : '';
    setText(this.#badge, eligible === all ? `all ${all} in` : `${eligible} of ${all} in${tried}`);
    const level = eligible === 0 ? 'bad' : eligible < all ? 'trial' : 'good';
    setAttribute(this.node, 'data-level', level);
    setText(this.#routes, routesText(routes));
    setText(this.#facts, factsOf(service));
    this.#figures.update(service.traffic, snapshot);
    const { newId, sight, ask } = this.#context;
    const rows = viewsOf(
      this.#rows,
      backends,
      (/** @type {any} */ backend) => backend.name,
      (backend) => new BackendRow(name, backend.name, { id: newId(), sight, ask }),
    );
    arrange(
      this.#body,
      rows.map(({ node }) => node),
    );
    for (const [index, row] of rows.entries()) row.update(backends[index], snapshot);
    this.text = name.toLowerCase();
  }

  /** Opens or closes it, unless somebody has decided. @param {boolean} open */
  suggest(open) {
    const details = /** @type {HTMLDetailsElement} */ (this.node);
    if (this.#mine || details.open === open) return;
    details.open = open;
    // the event of this comes later, and is not somebody's
    this.node.addEventListener('toggle', () => (this.#mine = false), { once: true });
  }

  reveal() {
    /** @type {HTMLDetailsElement} */ (this.node).open = true;
  }
}

/** @param {string} caption @param {Element} node */
function captioned(caption, node) {
  return element('div', { class: 'captioned' }, element('span', { class: 'caption' }, caption), node);
}

/** @param {string} labelledBy @param {Element} body */
function table(labelledBy, body) {
  const heads = BACKEND_COLUMNS.map((title) => element('th', { role: 'columnheader', scope: 'col' }, title));
  return element(
    'table',
    { class: 'rows backends', role: 'table', 'aria-labelledby': labelledBy },
    element('thead', { role: 'rowgroup' }, element('tr', { role: 'row' }, ...heads)),
    body,
  );
}

const MOST_ROUTES = 8;

/** @param {readonly string[]} routes */
function routesText(routes) {
  if (routes.length === 0) return 'no route or listener leads here';
  const more = routes.length - MOST_ROUTES;
  return `from ${routes.slice(0, MOST_ROUTES).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** @param {any} service */
function factsOf({ balance, retryBudgetRemaining, concurrency }) {
  const facts = [
    `balance: ${balance}`,
    `retry budget: ${counted(Math.floor(retryBudgetRemaining), 'retry', 'retries')} left`,
  ];
  if (concurrency !== undefined) {
    const { inFlight, limit, queued } = concurrency;
    facts.push(`concurrency: ${inFlight} of ${Math.floor(limit)} under way, ${queued} waiting`);
  }
  return facts.join(' · ');
}
