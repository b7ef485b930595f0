const PLAIN = /^[ !#-[\]-~]*$/;
const NOT_ASCII = /[^\x20-\x7e]/g;

/**
 * `text` as a JSON string of printable ASCII only: no reader of lines, terminal or UTF-8 decoder can find in it what was
 * not meant (line ends by any name, escape sequences, text that runs backwards, half a character).
 */
export function quoted(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`;
  return JSON.stringify(text).replace(NOT_ASCII, escaped);
}

function escaped(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** What a client sent, which the codec holds as one character a byte: as UTF-8 where it is that; at most `most` of it. */
export function clientText(bytes: string, most: number): string {
  return HIGH.test(bytes) ? cut(decoded(bytes), most) : cut(bytes, most);
}

/** Says by how much it was cut. */
export function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most)}...(${text.length - most} more)`;
}

const HIGH = /[\x80-\xff]/;

function decoded(latin1: string): string {
  const text = Buffer.from(latin1, 'latin1').toString('utf8');
  return text.includes('�') ? latin1 : text;
}

/** The same text (of characters up to FF) as one piece of its own: not a tree of pieces, nor a view of a larger text. */
export function flat(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}

const THOUSANDTHS: readonly string[] = Array.from({ length: 1_000 }, (_, thousandth) =>
  thousandth === 0 ? '' : `.${String(thousandth).padStart(3, '0').replace(/0+$/, '')}`,
);

/** Milliseconds to the microsecond; whole numbers are printed many times faster than fractions. */
export function msText(ms: number): string {
  const us = Math.round(ms * 1_000);
  if (!(us > 0)) return '0';
  const whole = Math.floor(us / 1_000);
  return `${whole}${THOUSANDTHS[us - whole * 1_000]}`;
}

const MILLISECONDS: readonly string[] = Array.from(
  { length: 1_000 },
  (_, ms) => `.${String(ms).padStart(3, '0')}Z`,
);

/** Times as RFC 3339 has them; the second is made into text once. */
export class TimeText {
  #second = Number.NaN;
  #text = '';

  of(wallMs: number): string {
    const ms = Math.floor(wallMs);
    const second = Math.floor(ms / 1_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#text = new Date(second * 1_000).toISOString().slice(0, 19);
    }
    return this.#text + MILLISECONDS[ms - second * 1_000];
  }
}
