// What tests ask of the page from the inside; run before the page's own scripts, type-checked with the DOM by files.test.ts.

/** @typedef {readonly [number, number, number, number]} Colour */

/** @param {string} text @returns {Colour} */
function parse(text) {
  const [r = 0, g = 0, b = 0, a = 1] = (text.match(/[\d.]+/g) ?? []).map(Number);
  return [r, g, b, a];
}

/** @param {Colour} colour @param {Colour} ground @returns {Colour} */
function over([r, g, b, a], [groundR, groundG, groundB]) {
  return [r * a + groundR * (1 - a), g * a + groundG * (1 - a), b * a + groundB * (1 - a), 1];
}

/** What is painted behind what a node holds. @param {Element | null} node @returns {Colour} */
function groundOf(node) {
  if (node === null) return [255, 255, 255, 1];
  const own = parse(getComputedStyle(node).backgroundColor);
  return own[3] === 1 ? own : over(own, groundOf(node.parentElement));
}

/** WCAG 2.2, relative luminance. @param {Colour} colour */
function luminance([r, g, b]) {
  const [red = 0, green = 0, blue = 0] = [r, g, b].map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** @param {Colour} one @param {Colour} other */
function contrast(one, other) {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

/** Of a node whose text or border can hardly be seen, what and how little. @param {Element} node @returns {string[]} */
function lowContrastsOf(node) {
  const style = getComputedStyle(node);
  const ground = groundOf(node);
  const texts = [...node.childNodes].filter(({ nodeType }) => nodeType === Node.TEXT_NODE);
  const text = texts.map(({ textContent }) => textContent?.trim()).join('');
  const pixels = Number.parseFloat(style.fontSize);
  const isLarge = pixels >= 24 || (pixels >= 18.66 && Number(style.fontWeight) >= 700);
  const found = contrast(over(parse(style.color), ground), ground);
  const name = `${node.tagName.toLowerCase()}.${node.className}`;
  const low = text !== '' && found < (isLarge ? 3 : 4.5) ? [`${found.toFixed(2)} ${name}: ${text}`] : [];
  if (!node.matches('button, input')) return low;
  const border = contrast(parse(style.borderTopColor), groundOf(node.parentElement));
  return border < 3 ? [...low, `${border.toFixed(2)} ${name}: border`] : low;
}

const probe = {
  /** Text below 4.5:1 (3:1 when large) and borders of controls below 3:1 (WCAG 2.2 §1.4.3, §1.4.11). */
  lowContrasts() {
    const nodes = [...document.querySelectorAll('body *')];
    return nodes
      .filter((node) => node.checkVisibility() && node.closest('svg, .sr') === null)
      .flatMap(lowContrastsOf);
  },

  /** Accessible name, id or text of what has the focus. */
  focused() {
    const node = document.activeElement;
    return (node?.getAttribute('aria-label') ?? (node?.id || node?.textContent)) || '';
  },

  /** Whether the focus can be seen: outlined, and neither under the header that stays nor off the screen. */
  focusIsSeen() {
    const node = document.activeElement;
    if (node === null) return false;
    const { top, bottom } = node.getBoundingClientRect();
    const header = document.querySelector('header')?.getBoundingClientRect().bottom ?? 0;
    const outline = Number.parseFloat(getComputedStyle(node).outlineWidth);
    return outline >= 2 && top >= header - 1 && bottom <= innerHeight + 1;
  },

  /** @param {string} selector */
  focusIsIn: (selector) => document.activeElement?.closest(selector) != null,

  /** @type {Element | null} */
  remembered: null,

  remember() {
    probe.remembered = document.activeElement;
  },

  focusIsRemembered: () => probe.remembered === document.activeElement,

  headingLevels: () =>
    [...document.querySelectorAll('header h1, main :is(h1, h2, h3)')].map(({ tagName }) =>
      Number(tagName[1]),
    ),

  /** What lies beyond the right edge. */
  tooWide() {
    const nodes = [...document.querySelectorAll('html, header *, main *, footer *')];
    return nodes
      .filter((node) => node.checkVisibility() && node.closest('.sr, thead') === null)
      .filter((node) => node.getBoundingClientRect().right > innerWidth + 1 || node.scrollWidth > innerWidth)
      .map(({ tagName, className }) => `${tagName} ${className}`);
  },

  moving: () =>
    [...document.querySelectorAll('*')].filter((node) => {
      const { animationName, transitionDuration } = getComputedStyle(node);
      return animationName !== 'none' || Number.parseFloat(transitionDuration) > 0;
    }).length,

  /** @type {string[]} */
  announced: [],

  /** Notes what screen readers are told from now on. */
  hear() {
    const node = document.querySelector('#announced');
    const observer = new MutationObserver(() => probe.announced.push(node?.textContent ?? ''));
    if (node !== null) observer.observe(node, { childList: true });
  },

  /** Milliseconds of each of the next updates. @param {number} count */
  async updateTimes(count) {
    const took = [];
    let last = performance.getEntriesByName('update')[0]?.startTime;
    const deadlineMs = performance.now() + 30_000;
    while (took.length < count) {
      if (performance.now() > deadlineMs) throw new Error(`only ${took.length} updates in 30 s`);
      await new Promise((resolve) => setTimeout(resolve, 50));
      const [measure] = performance.getEntriesByName('update');
      if (measure === undefined || measure.startTime === last) continue;
      last = measure.startTime;
      took.push(measure.duration);
    }
    return took;
  },

  /** @param {string} selector */
  curveLength: (selector) => document.querySelector(selector)?.getAttribute('d')?.length ?? 0,
};

Object.assign(globalThis, { probe });
