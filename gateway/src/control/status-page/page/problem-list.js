import { arrange, byId, element, setAttribute, setHidden, setText, viewsOf } from './dom.js';
import { counted, sinceWords } from './words.js';

const FIRST = 12;

const WORDS = { error: 'Failing', warn: 'Wrong', note: 'Taken out' };

/** What is wrong now, at the very top. */
export class ProblemList {
  #section = byId('verdict');
  #title = byId('verdict-title');
  #list = byId('problems');
  #more = byId('problems-more');
  #announced = byId('announced');
  #short = byId('short');
  /** @type {Map<string, ProblemItem>} */
  #items = new Map();
  #all = false;
  #wrong = 0;
  #go;

  /** @param {(problem: any) => void} go to where it is */
  constructor(go) {
    this.#go = go;
    this.#more.addEventListener('click', () => {
      this.#all = !this.#all;
      this.#arrange();
    });
  }

  /** How many things are wrong. */
  get wrong() {
    return this.#wrong;
  }

  /** @param {any} snapshot */
  update({ problems, nowMs }) {
    const wrong = problems.filter((/** @type {any} */ { severity }) => severity !== 'note').length;
    const notes = problems.length - wrong;
    const verdict =
      wrong === 0 ? 'All is well' : wrong === 1 ? '1 thing is wrong' : `${wrong} things are wrong`;
    const taken = notes === 0 ? '' : ` · ${counted(notes, 'backend')} taken out by the operator`;
    this.#wrong = wrong;
    setText(this.#title, verdict + taken);
    const level = wrong === 0 ? 'good' : problems[0]?.severity === 'error' ? 'bad' : 'warn';
    setAttribute(this.#section, 'data-level', level);
    setAttribute(this.#short, 'data-level', level);
    setText(this.#short, wrong === 0 ? 'All is well' : `${wrong} wrong`);
    const lostFocus = [...this.#items].some(
      ([key, { node }]) =>
        node.contains(document.activeElement) && !problems.some((/** @type {any} */ one) => one.key === key),
    );
    const items = viewsOf(
      this.#items,
      problems,
      (/** @type {any} */ { key }) => key,
      (problem) => new ProblemItem(problem, this.#go),
    );
    for (const [index, item] of items.entries()) item.update(problems[index], nowMs);
    this.#arrange();
    if (lostFocus) this.#title.focus();
    this.#announce(verdict + taken, problems);
  }

  #arrange() {
    const nodes = [...this.#items.values()].map(({ node, problem }) => ({ node, problem }));
    nodes.sort((one, other) => rank(one.problem) - rank(other.problem));
    const more = nodes.length - FIRST;
    const shown = this.#all ? nodes : nodes.slice(0, FIRST);
    arrange(
      this.#list,
      shown.map(({ node }) => node),
    );
    setHidden(this.#more, more <= 0);
    setText(this.#more, this.#all ? 'Show fewer' : `Show ${more} more`);
  }

  /** Only when something came or went: that it goes on is no news. @param {string} verdict @param {readonly any[]} problems */
  #announce(verdict, problems) {
    const first = problems.slice(0, 3).map(({ subject, severity }) => `${subject} (${wordOf(severity)})`);
    const more = problems.length > 3 ? ` and ${problems.length - 3} more` : '';
    setText(this.#announced, first.length === 0 ? verdict : `${verdict}: ${first.join(', ')}${more}`);
  }
}

/** @param {any} problem */
function rank({ severity }) {
  return severity === 'error' ? 0 : severity === 'warn' ? 1 : 2;
}

/** @param {string} severity */
function wordOf(severity) {
  return WORDS[/** @type {'error'} */ (severity)] ?? severity;
}

class ProblemItem {
  #badge = element('span', { class: 'badge' });
  #link;
  #text = element('span', {});
  #since = element('span', { class: 'since' });
  problem;

  /** @param {any} problem @param {(problem: any) => void} go */
  constructor(problem, go) {
    this.problem = problem;
    const leads = problem.service !== undefined || problem.route !== undefined;
    this.#link = leads ? element('a', { href: '#services-title' }) : element('strong', {});
    if (leads)
      this.#link.addEventListener('click', (event) => {
        event.preventDefault();
        go(this.problem);
      });
    this.node = element('li', {}, this.#badge, ' ', this.#link, ' ', this.#text, ' ', this.#since);
  }

  /** @param {any} problem @param {number} nowMs */
  update(problem, nowMs) {
    this.problem = problem;
    setText(this.#badge, wordOf(problem.severity));
    setAttribute(this.node, 'data-level', problem.severity);
    setText(this.#link, problem.subject);
    setText(this.#text, problem.text);
    setText(this.#since, sinceWords(problem.since, nowMs));
  }
}
