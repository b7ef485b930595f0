import { byId, element, setAttribute, setText } from './dom.js';
import { listenerName } from './listener-row.js';
import { TrafficFigures } from './traffic-cells.js';
import { counted, duration } from './words.js';

/** What runs here, and how the whole of it does. */
export class Totals {
  #facts = byId('facts');
  #figures = new TrafficFigures();
  #clients = element('dd', {});
  #backends = element('dd', {});
  #redis = element('dd', {});

  constructor() {
    const { rate, errors, latency } = this.#figures;
    this.#figures.setSeen(true);
    byId('totals').append(
      tile('Requests', element('dd', {}, rate.node)),
      tile('Errors (5xx)', element('dd', {}, errors.node)),
      tile('p99 (p50)', element('dd', {}, latency.node)),
      tile('Backends in', this.#backends),
      tile('Client connections', this.#clients),
      tile('Redis and fleet', this.#redis),
    );
  }

  /** @param {any} snapshot */
  update(snapshot) {
    const { traffic, listeners, services, gateway } = snapshot;
    this.#figures.update(traffic, snapshot);
    const open = sum(listeners, ({ connections }) => connections);
    const addresses = listeners.map(listenerName).join(', ');
    const through = sum(snapshot.tunnels, (tunnels) => tunnels.open);
    const tunnels = through === 0 ? '' : `, ${counted(through, 'tunnel')} open`;
    say(this.#clients, String(open), addresses === '' ? 'not listening' : `on ${addresses}${tunnels}`);
    const all = sum(services, ({ backends }) => backends.length);
    const eligible = sum(services, (service) => service.eligible);
    say(this.#backends, `${eligible} of ${all}`, `in ${counted(services.length, 'service')}`);
    const [word, aside, level] = redisWords(gateway.redis);
    say(this.#redis, word, aside);
    setAttribute(this.#redis, 'data-level', level);
    setText(this.#facts, factsOf(gateway));
  }
}

/** @param {string} title @param {Element} value */
function tile(title, value) {
  return element('div', { class: 'tile' }, element('dt', {}, title), value);
}

/** @param {Element} node @param {string} value @param {string} aside */
function say(node, value, aside) {
  if (node.children.length === 0)
    node.append(element('span', { class: 'value' }), element('span', { class: 'aside' }));
  const [first, second] = node.children;
  if (first !== undefined) setText(first, value);
  if (second !== undefined) setText(second, aside);
}

/** @param {readonly any[]} items @param {(item: any) => number} of */
function sum(items, of) {
  return items.reduce((total, item) => total + of(item), 0);
}

/** @param {any} redis @returns {[string, string, string]} */
function redisWords(redis) {
  if (typeof redis !== 'object' || redis === null) return ['None', 'this gateway shares nothing', 'good'];
  const { up, fleet, replicas, lastSyncAgoMs, reason } = redis;
  const live = Array.isArray(replicas) ? counted(replicas.length, 'live replica') : '';
  if (up === true) return ['Up', `fleet ${fleet}, ${live}`, 'good'];
  const last =
    typeof lastSyncAgoMs === 'number' ? `last heard ${duration(lastSyncAgoMs)} ago` : 'never reached';
  return ['Away', `${last}${typeof reason === 'string' ? `: ${reason}` : ''}`, 'bad'];
}

/** @param {any} gateway */
function factsOf({ version, uptimeMs, redis }) {
  const facts = [];
  if (typeof version === 'string') facts.push(version === 'unknown' ? 'version unknown' : `v${version}`);
  if (typeof redis?.replicaId === 'string') facts.push(`replica ${redis.replicaId}`);
  if (typeof uptimeMs === 'number') facts.push(`up ${duration(uptimeMs)}`);
  return facts.join(' · ');
}
