import { drawing, element, setAttribute, setText } from './dom.js';
import { counted } from './words.js';

const WIDTH = 100;

/** How full the connections to a backend are: a bar, and the same in words. */
export class PoolBar {
  #parts = {
    active: drawing('rect', { class: 'active', y: '0', height: '8' }),
    connecting: drawing('rect', { class: 'connecting', y: '0', height: '8' }),
    idle: drawing('rect', { class: 'idle', y: '2', height: '4' }),
  };
  #words = element('span', { class: 'value' });
  #rest = element('span', { class: 'aside' });
  #queued = element('strong', { class: 'queued' });
  node = element(
    'div',
    { class: 'pool' },
    this.#words,
    drawing(
      'svg',
      {
        class: 'bar',
        viewBox: `0 0 ${WIDTH} 8`,
        preserveAspectRatio: 'none',
        'aria-hidden': 'true',
        focusable: 'false',
      },
      this.#parts.active,
      this.#parts.connecting,
      this.#parts.idle,
    ),
    this.#rest,
    this.#queued,
  );

  /**
   * @param {{ active: number, idle: number, connecting: number, queued: number, max: number }} pool
   * @param {number} pending requests under way
   */
  update({ active, idle, connecting, queued, max }, pending) {
    let x = 0;
    for (const [name, count] of Object.entries({ active, connecting, idle })) {
      const width = Math.min(WIDTH - x, (count / Math.max(1, max)) * WIDTH);
      const part = this.#parts[/** @type {'active'} */ (name)];
      setAttribute(part, 'x', x.toFixed(2));
      setAttribute(part, 'width', width.toFixed(2));
      x += width;
    }
    setText(this.#words, `${active} of ${max} active`);
    const rest = [
      `${idle} idle`,
      ...(connecting > 0 ? [`${connecting} connecting`] : []),
      `${pending} under way`,
    ];
    setText(this.#rest, rest.join(' · '));
    setText(this.#queued, queued > 0 ? `${counted(queued, 'request')} queued` : '');
  }
}
