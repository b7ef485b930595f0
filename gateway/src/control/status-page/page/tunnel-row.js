import { element, setText } from './dom.js';
import { bytes, bytesPerSecond } from './words.js';

/** The tunnels of one route, in the table of tunnels. */
export class TunnelRow {
  #service = element('a', { href: '#' });
  #open = element('td', { role: 'cell', 'data-column': 'Open' });
  #opened = element('td', { role: 'cell', 'data-column': 'Opened' });
  #in = new Bytes('From clients');
  #out = new Bytes('To clients');

  /** @param {string} name @param {(service: string) => void} go */
  constructor(name, go) {
    this.node = element(
      'tr',
      { role: 'row' },
      element('th', { role: 'rowheader', scope: 'row', class: 'name' }, name),
      element('td', { role: 'cell', 'data-column': 'Service' }, this.#service),
      this.#open,
      this.#opened,
      this.#in.node,
      this.#out.node,
    );
    this.#service.addEventListener('click', (event) => {
      event.preventDefault();
      go(this.#service.textContent ?? '');
    });
  }

  /** @param {any} tunnels */
  update({ service, open, opened, bytesIn, bytesOut, inRate, outRate }) {
    setText(this.#service, service);
    setText(this.#open, String(open));
    setText(this.#opened, String(opened));
    this.#in.say(inRate, bytesIn);
    this.#out.say(outRate, bytesOut);
  }
}

/** How many a second, and how many in all. */
class Bytes {
  #rate = element('span', { class: 'value' });
  #all = element('span', { class: 'aside' });

  /** @param {string} column */
  constructor(column) {
    this.node = element('td', { role: 'cell', 'data-column': column }, this.#rate, ' ', this.#all);
  }

  /** @param {number | null} rate @param {number} all */
  say(rate, all) {
    setText(this.#rate, rate === null ? '–' : bytesPerSecond(rate));
    setText(this.#all, `${bytes(all)} in all`);
  }
}
