/** Character classes of RFC 9110 §5.6.2 and §5.5, RFC 9112 §3 and RFC 3986, as one table of bits. */

/** Letters, digits and the fifteen marks that names of methods and fields are made of. */
export const TOKEN = 1;
/** What may stand in a field value: HTAB, SP, VCHAR, obs-text. Not CR, LF, NUL or any other control. */
export const FIELD = 2;
/**
 * What may stand in a request target: visible ASCII but `#` (a target has no fragment) and `\` (which some
 * backends read as `/`). Stricter than browsers in nothing they send unescaped but `\`, which they turn into `/`.
 */
export const TARGET = 4;
export const DIGIT = 8;

export const CLASS: Uint8Array = classes();

function classes(): Uint8Array {
  const table = new Uint8Array(256);
  const add = (characters: string, bit: number): void => {
    for (const character of characters)
      table[character.charCodeAt(0)] = (table[character.charCodeAt(0)] ?? 0) | bit;
  };
  const range = (from: number, to: number, bit: number): void => {
    for (let code = from; code <= to; code++) table[code] = (table[code] ?? 0) | bit;
  };
  range(0x30, 0x39, TOKEN | DIGIT);
  range(0x41, 0x5a, TOKEN);
  range(0x61, 0x7a, TOKEN);
  add("!#$%&'*+-.^_`|~", TOKEN);
  range(0x20, 0x7e, FIELD);
  range(0x80, 0xff, FIELD);
  add('\t', FIELD);
  range(0x21, 0x7e, TARGET);
  for (const character of '#\\')
    table[character.charCodeAt(0)] = (table[character.charCodeAt(0)] ?? 0) & ~TARGET;
  return table;
}

export const CR = 13;
export const LF = 10;
export const SP = 32;
export const HTAB = 9;
export const COLON = 58;
