import { byId, element, setHidden } from './dom.js';
import { timeOfDay } from './words.js';

const KEPT = 200;
const WORDS = { info: 'Info', warn: 'Warning', error: 'Error' };

/** The last events, newest first. */
export class EventList {
  #list = byId('events');
  #none = byId('events-none');
  #lastSeq = 0;
  #go;

  /** @param {(event: any) => void} go to the backend or service it is about */
  constructor(go) {
    this.#go = go;
  }

  /** Begins anew. @param {readonly any[]} events oldest first */
  replace(events) {
    this.#list.replaceChildren();
    this.#lastSeq = 0;
    setHidden(this.#none, events.length > 0);
    for (const event of events) this.add(event);
  }

  /** @param {any} event */
  add(event) {
    if (event.seq <= this.#lastSeq) return;
    this.#lastSeq = event.seq;
    setHidden(this.#none, true);
    this.#list.prepend(this.#item(event));
    while (this.#list.children.length > KEPT) this.#list.lastElementChild?.remove();
  }

  /** @param {any} event */
  #item(event) {
    const { atMs, severity, service, backend, text } = event;
    const iso = new Date(atMs).toISOString();
    const link = element(
      'a',
      { href: '#services-title' },
      backend === undefined ? service : `${backend} of ${service}`,
    );
    link.addEventListener('click', (click) => {
      click.preventDefault();
      this.#go(event);
    });
    return element(
      'li',
      { 'data-level': severity },
      element('time', { datetime: iso, title: iso }, timeOfDay(atMs)),
      element('span', { class: 'badge' }, WORDS[/** @type {'info'} */ (severity)] ?? severity),
      element('span', {}, link, ` ${text}`),
    );
  }
}
