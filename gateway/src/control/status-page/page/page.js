import { Confirm } from './confirm.js';
import { arrange, byId, setHidden, setText, viewsOf } from './dom.js';
import { EventList } from './event-list.js';
import { Filter } from './filter.js';
import { LinkState } from './link-state.js';
import { ListenerRow, listenerName } from './listener-row.js';
import { ProblemList } from './problem-list.js';
import { RouteRow } from './route-row.js';
import { ServiceCard } from './service-card.js';
import { Stream } from './stream.js';
import { Totals } from './totals.js';
import { Sight } from './traffic-cells.js';
import { TunnelRow } from './tunnel-row.js';
import { counted } from './words.js';

/** With more backends, only services with something to look at begin opened. */
const ALL_OPEN = 40;

/** Puts the parts of the page together, and hands each snapshot to them. */
class Page {
  #sight = new Sight();
  #confirm = new Confirm();
  #totals = new Totals();
  #problems = new ProblemList((problem) => this.#go(problem));
  #events = new EventList((event) => this.#go(event));
  #filter = new Filter(() => this.#applyFilter());
  /** @type {Map<string, ServiceCard>} */
  #cards = new Map();
  /** @type {Map<string, RouteRow>} */
  #routes = new Map();
  /** @type {Map<string, TunnelRow>} */
  #tunnels = new Map();
  #tunnelsSection = byId('tunnels-section');
  #tunnelsBody = byId('tunnels');
  /** @type {Map<string, ListenerRow>} */
  #listeners = new Map();
  #listenersBody = byId('listeners');
  #services = byId('services');
  #routesBody = byId('routes');
  #routesMore = byId('routes-more');
  #link = new LinkState(() => this.#stream.retryNow());
  #ids = 0;
  #snapshot = /** @type {any} */ (undefined);
  #stream = new Stream(
    'api/v1/stream',
    (type, data) => this.#hear(type, data),
    (state) => this.#link.set(state),
  );

  start() {
    void this.#stream.follow();
  }

  /** @param {string} type @param {any} data */
  #hear(type, data) {
    if (type === 'event') this.#events.add(data);
    if (type !== 'snapshot') return;
    const start = performance.now();
    this.#update(data);
    // for whoever measures; only the last is kept
    performance.clearMeasures('update');
    performance.measure('update', { start });
  }

  /** @param {any} snapshot */
  #update(snapshot) {
    this.#snapshot = snapshot;
    if (snapshot.events !== undefined) this.#events.replace(snapshot.events);
    this.#problems.update(snapshot);
    this.#totals.update(snapshot);
    this.#updateRoutes(snapshot);
    this.#updateServices(snapshot);
    this.#updateTunnels(snapshot);
    this.#updateListeners(snapshot);
    this.#applyFilter();
    const { wrong } = this.#problems;
    document.title = wrong === 0 ? 'Portway' : `(${wrong}) Portway`;
    this.#link.heard(snapshot.nowMs);
  }

  /** @param {any} snapshot */
  #updateRoutes(snapshot) {
    const services = new Map(snapshot.services.map((/** @type {any} */ one) => [one.name, one]));
    const failing = new Set(
      snapshot.problems
        .filter((/** @type {any} */ one) => one.route !== undefined)
        .map((/** @type {any} */ one) => one.route),
    );
    const go = (/** @type {string} */ service) => this.#go({ service });
    const rows = viewsOf(
      this.#routes,
      snapshot.routes,
      (/** @type {any} */ { name }) => name,
      ({ name }) => new RouteRow(name, { id: this.#newId(), sight: this.#sight, go }),
    );
    arrange(
      this.#routesBody,
      rows.map(({ node }) => node),
    );
    const { routesLeftOut } = snapshot;
    setHidden(this.#routesMore, routesLeftOut === 0);
    setText(this.#routesMore, `${counted(routesLeftOut, 'more route')} not shown.`);
    for (const [index, row] of rows.entries()) {
      const route = snapshot.routes[index];
      row.update(route, snapshot, services.get(route.service), failing.has(route.name));
    }
  }

  /** @param {any} snapshot */
  #updateServices(snapshot) {
    const leading = Map.groupBy(snapshot.routes, (/** @type {any} */ { service }) => service);
    const context = {
      newId: () => this.#newId(),
      sight: this.#sight,
      ask: (/** @type {string} */ action, /** @type {any} */ row, /** @type {any} */ backend) =>
        this.#ask(action, row, backend),
    };
    const cards = viewsOf(
      this.#cards,
      snapshot.services,
      (/** @type {any} */ { name }) => name,
      ({ name }) => new ServiceCard(name, context),
    );
    arrange(
      this.#services,
      cards.map(({ node }) => node),
    );
    for (const [index, card] of cards.entries()) {
      const routes = (leading.get(card.name) ?? []).map((/** @type {any} */ { name }) => name);
      const listeners = snapshot.listeners.filter((/** @type {any} */ { services }) =>
        services.includes(card.name),
      );
      card.update(snapshot.services[index], snapshot, [...routes, ...listeners.map(listenerName)]);
    }
  }

  /** @param {any} snapshot */
  #updateTunnels({ tunnels }) {
    setHidden(this.#tunnelsSection, tunnels.length === 0);
    const go = (/** @type {string} */ service) => this.#go({ service });
    showRows(
      this.#tunnels,
      this.#tunnelsBody,
      tunnels,
      ({ route }) => route,
      ({ route }) => new TunnelRow(route, go),
    );
  }

  /** @param {any} snapshot */
  #updateListeners({ listeners }) {
    showRows(
      this.#listeners,
      this.#listenersBody,
      listeners,
      listenerName,
      ({ address }) => new ListenerRow(address),
    );
  }

  #applyFilter() {
    const cards = [...this.#cards.values()];
    const backends = cards.reduce((sum, { rows }) => sum + rows.length, 0);
    for (const card of cards) {
      card.suggest(this.#filter.active || backends <= ALL_OPEN || card.needsAttention);
    }
    this.#filter.apply(cards, [...this.#routes.values()]);
  }

  #newId() {
    this.#ids += 1;
    return `row-${this.#ids}`;
  }

  /** @param {string} action @param {any} row @param {any} backend */
  #ask(action, row, backend) {
    const service = this.#snapshot?.services.find((/** @type {any} */ { name }) => name === row.service);
    this.#confirm.open(action, row, backend, service);
  }

  /** To the row of a backend, a route or a service. @param {{ route?: string, service?: string, backend?: string }} where */
  #go({ route, service, backend }) {
    const card = this.#cards.get(service ?? '');
    const row = route !== undefined ? this.#routes.get(route) : card?.row(backend ?? '');
    const node = row?.node ?? card?.node;
    if (node === undefined) return;
    if (node.hidden || card?.node.hidden) {
      this.#filter.clear();
      this.#applyFilter();
    }
    if (route === undefined) card?.reveal();
    const target = row === undefined ? (node.querySelector('summary') ?? node) : node;
    target.focus({ preventScroll: true });
    const smooth = matchMedia('(prefers-reduced-motion: no-preference)').matches;
    target.scrollIntoView({ block: 'center', behavior: smooth ? 'smooth' : 'auto' });
  }
}

/**
 * Keeps one row for each item, in the order of the items.
 * @template Item
 * @template {{ node: HTMLElement, update: (item: Item) => void }} Row
 * @param {Map<string, Row>} views
 * @param {Element} body
 * @param {readonly Item[]} items
 * @param {(item: Item) => string} keyOf
 * @param {(item: Item) => Row} make
 */
function showRows(views, body, items, keyOf, make) {
  const rows = viewsOf(views, items, keyOf, make);
  arrange(
    body,
    rows.map(({ node }) => node),
  );
  for (const [index, row] of rows.entries()) row.update(/** @type {Item} */ (items[index]));
}

new Page().start();
