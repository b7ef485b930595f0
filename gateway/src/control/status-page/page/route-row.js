import { element, setAttribute, setText } from './dom.js';
import { TrafficFigures } from './traffic-cells.js';

/** One route in the table of routes. */
export class RouteRow {
  #figures = new TrafficFigures();
  #service = element('a', { href: '#' });
  #methods = element('span', { class: 'aside' });
  #trouble = element('span', { class: 'badge' });
  name;
  text = '';
  needsAttention = false;

  /**
   * @param {string} name
   * @param {{ id: string, sight: import('./traffic-cells.js').Sight, go: (service: string) => void }} context
   */
  constructor(name, { id, sight, go }) {
    this.name = name;
    this.node = element(
      'tr',
      { id, role: 'row', tabindex: '-1' },
      element('th', { role: 'rowheader', scope: 'row', class: 'name' }, name, ' ', this.#methods),
      element('td', { role: 'cell', 'data-column': 'Service' }, this.#service, ' ', this.#trouble),
      element('td', { role: 'cell', 'data-column': 'Requests' }, this.#figures.rate.node),
      element('td', { role: 'cell', 'data-column': 'Errors (5xx)' }, this.#figures.errors.node),
      element('td', { role: 'cell', 'data-column': 'p99 (p50)' }, this.#figures.latency.node),
    );
    this.#service.addEventListener('click', (event) => {
      event.preventDefault();
      go(this.#service.textContent ?? '');
    });
    sight.follow(this.node, (seen) => this.#figures.setSeen(seen));
  }

  /** @param {any} route @param {any} snapshot @param {any} service its service @param {boolean} failing */
  update(route, snapshot, service, failing) {
    setText(this.#service, route.service);
    setText(this.#methods, route.methods.join(' '));
    const down = service !== undefined && service.eligible === 0;
    const some = service !== undefined && service.eligible < service.backends.length;
    setText(
      this.#trouble,
      down ? 'none in' : some ? `${service.eligible} of ${service.backends.length} in` : '',
    );
    setAttribute(this.#trouble, 'data-level', down ? 'bad' : 'trial');
    setAttribute(this.node, 'data-level', down || failing ? 'bad' : some ? 'trial' : 'good');
    this.#figures.update(route.traffic, snapshot);
    this.needsAttention = down || failing || some;
    this.text = `${route.name} ${route.service}`.toLowerCase();
  }
}
