import { byId, setHidden, setText } from './dom.js';
import { counted } from './words.js';

const CONSEQUENCES = {
  drain: 'It gets no new requests; those under way end.',
  undrain: 'It gets requests again, as far as its health and its breaker let it.',
  disable: 'It gets no new requests and is not probed any more; requests under way end.',
  enable: 'It is probed and gets requests again, as far as its health and its breaker let it.',
};

/** Asks before a backend is changed, and changes it. The token stays in this page's memory. */
export class Confirm {
  #dialog = /** @type {HTMLDialogElement} */ (byId('ask'));
  #title = byId('ask-title');
  #what = byId('ask-what');
  #warning = byId('ask-warning');
  #token = /** @type {HTMLInputElement} */ (byId('ask-token'));
  #error = byId('ask-error');
  #confirm = byId('ask-confirm');
  #announced = byId('announced');
  #wanted = { action: '', service: '', backend: '' };
  #busy = false;

  constructor() {
    byId('ask-form').addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#send();
    });
    byId('ask-cancel').addEventListener('click', () => this.#dialog.close());
  }

  /**
   * @param {string} action
   * @param {{ service: string, name: string }} row
   * @param {any} backend
   * @param {any} service its service
   */
  open(action, row, backend, service) {
    const { name } = row;
    const word = `${action[0]?.toUpperCase()}${action.slice(1)}`;
    this.#wanted = { action, service: row.service, backend: name };
    setText(this.#title, `${word} ${name} of ${row.service}?`);
    const under = backend.pending > 0 ? ` ${counted(backend.pending, 'request')} under way.` : '';
    setText(this.#what, `${CONSEQUENCES[/** @type {'drain'} */ (action)] ?? ''}${under}`);
    const takesOut = action === 'drain' || action === 'disable';
    const isLast = takesOut && backend.eligible && service?.eligible === 1;
    setHidden(this.#warning, !isLast);
    setText(
      this.#warning,
      isLast ? `It is the last one that is in: nothing of ${row.service} works without it.` : '',
    );
    setText(this.#error, '');
    setText(this.#confirm, word);
    this.#dialog.showModal();
    byId('ask-cancel').focus();
  }

  async #send() {
    if (this.#busy) return;
    this.#busy = true;
    this.#confirm.setAttribute('aria-disabled', 'true');
    setText(this.#error, '');
    const { action, service, backend } = this.#wanted;
    const error = await send(action, service, backend, this.#token.value);
    this.#busy = false;
    this.#confirm.removeAttribute('aria-disabled');
    if (error === undefined) {
      this.#dialog.close();
      setText(this.#announced, `Done: ${action} ${backend} of ${service}`);
      return;
    }
    setText(this.#error, error.text);
    if (error.isToken) this.#token.focus();
  }
}

/**
 * @param {string} action
 * @param {string} service
 * @param {string} backend
 * @param {string} token
 * @returns {Promise<{ text: string, isToken: boolean } | undefined>}
 */
async function send(action, service, backend, token) {
  const path = `api/v1/services/${encodeURIComponent(service)}/backends/${encodeURIComponent(backend)}/${action}`;
  if (/[^\x21-\x7e]/.test(token))
    return { text: 'A token has no spaces and only ASCII characters.', isToken: true };
  try {
    const answer = await fetch(path, {
      method: 'POST',
      headers: token === '' ? {} : { authorization: `Bearer ${token}` },
    });
    if (answer.ok) return undefined;
    const problem = await answer.json().catch(() => undefined);
    const text =
      typeof problem?.detail === 'string' ? problem.detail : `the gateway answers ${answer.status}`;
    return { text: `Nothing was changed: ${text}`, isToken: answer.status === 401 };
  } catch {
    return {
      text: 'The gateway cannot be reached: whether anything was changed is not known.',
      isToken: false,
    };
  }
}
