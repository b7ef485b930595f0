/** What reading one value gives: the value, or a complaint fit to be shown to whoever wrote it. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly complaint: string };

/** A value that was read. */
export const good = <T>(value: T): Parsed<T> => ({ ok: true, value });

/** A value that could not be read, with what was probably meant when that can be guessed. */
export const bad = (complaint: string, suggestion?: string): Parsed<never> => ({
  ok: false,
  complaint: suggestion === undefined ? complaint : `${complaint}; did you mean ${suggestion}?`,
});

/** The value of something checked before. Throws when it was not: that is a fault of this program. */
export function checked<T>(parsed: Parsed<T>): T {
  if (parsed.ok) return parsed.value;
  throw new Error(`compiled before it was checked: ${parsed.complaint}`);
}

/** The text with what looks like the user and password of a URL starred out. */
export function withoutPassword(text: string): string {
  return text.replace(/\/\/.*@/gs, '//***@').replace(/[^\s/:]*:[^\s/]*@/g, '***@');
}

const LONGEST_SHOWN = 60;

/** A value as messages show it: short, on one line, without the user and password of a URL. */
export function show(text: string): string {
  const safe = withoutPassword(text);
  const short = safe.length > LONGEST_SHOWN ? `${safe.slice(0, LONGEST_SHOWN)}…` : safe;
  if (/^[!#-&(-~…]+$/.test(short)) return short;
  return JSON.stringify(short).replace(
    /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
