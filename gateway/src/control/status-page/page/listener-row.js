import { element, setText } from './dom.js';

const WORDS = new Map([
  ['http', 'HTTP'],
  ['https', 'HTTPS'],
  ['tcp', 'TCP'],
  ['udp', 'UDP'],
]);

/** One listener in the table of listeners. */
export class ListenerRow {
  #protocol = element('td', { role: 'cell', 'data-column': 'Protocol' });
  #clients = element('td', { role: 'cell', 'data-column': 'Clients' });
  #leads = element('td', { role: 'cell', 'data-column': 'Leads to' });

  /** @param {string} address */
  constructor(address) {
    this.node = element(
      'tr',
      { role: 'row' },
      element('th', { role: 'rowheader', scope: 'row', class: 'name' }, address),
      this.#protocol,
      this.#clients,
      this.#leads,
    );
  }

  /** @param {any} listener */
  update({ protocol, connections, services }) {
    setText(this.#protocol, WORDS.get(protocol) ?? protocol);
    setText(this.#clients, String(connections));
    setText(this.#leads, services.length === 0 ? 'routes' : services.join(', '));
  }
}

/** How a listener is known; a port may be listened on for TCP and for UDP. @param {any} listener */
export function listenerName({ protocol, address }) {
  return protocol === 'tcp' || protocol === 'udp' ? `${protocol} ${address}` : address;
}
