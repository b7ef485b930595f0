/** The environment as the config sees it. */
export type Environment = Readonly<Record<string, string | undefined>>;

export type Interpolated =
  /** There was nothing to replace. */
  | { readonly kind: 'untouched' }
  | { readonly kind: 'replaced'; readonly text: string; readonly whole: boolean }
  | { readonly kind: 'failed'; readonly faults: readonly InterpolationFault[] };

interface InterpolationFault {
  /** Which `${` of the text, from 0, escaped ones counted. */
  readonly occurrence: number;
  readonly message: string;
}

const OPENING = /\$?\$\{/g;
const REFERENCE = /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/y;

/**
 * Replaces `${VAR}` and `${VAR:-default}` (the default also stands in for an empty variable, as in a shell);
 * `$${` stands for `${`. It is done on values after YAML was parsed, so a variable cannot add structure.
 */
export function interpolate(text: string, env: Environment): Interpolated {
  if (!text.includes('${')) return { kind: 'untouched' };
  const faults: InterpolationFault[] = [];
  let result = '';
  let from = 0;
  let occurrence = 0;
  let whole = false;
  OPENING.lastIndex = 0;
  for (let found = OPENING.exec(text); found !== null; found = OPENING.exec(text), occurrence++) {
    result += text.slice(from, found.index);
    if (found[0] === '$${') {
      result += '${';
      from = OPENING.lastIndex;
      continue;
    }
    const reference = readReference(text, found.index, env);
    if (!reference.ok) {
      faults.push({ occurrence, message: reference.message });
      from = reference.end ?? OPENING.lastIndex;
      OPENING.lastIndex = from;
      continue;
    }
    result += reference.value;
    from = reference.end;
    OPENING.lastIndex = from;
    whole = found.index === 0 && from === text.length;
  }
  if (faults.length > 0) return { kind: 'failed', faults };
  return { kind: 'replaced', text: result + text.slice(from), whole };
}

type Reference =
  | { readonly ok: true; readonly value: string; readonly end: number }
  | { readonly ok: false; readonly message: string; readonly end?: number };

function readReference(text: string, at: number, env: Environment): Reference {
  REFERENCE.lastIndex = at;
  const match = REFERENCE.exec(text);
  const name = match?.[1];
  if (match === null || name === undefined) return { ok: false, message: whyUnreadable(text.slice(at)) };
  const fallback = match[2];
  const end = REFERENCE.lastIndex;
  if (fallback?.includes('${')) {
    return {
      ok: false,
      message: `the default of ${name} holds another \${…}; defaults cannot be nested`,
      end,
    };
  }
  const value = Object.hasOwn(env, name) ? env[name] : undefined;
  if (fallback !== undefined)
    return { ok: true, value: value === undefined || value === '' ? fallback : value, end };
  if (value !== undefined) return { ok: true, value, end };
  return {
    ok: false,
    message: `the environment variable ${name} is not set; set it, or give a default: \${${name}:-default}`,
  };
}

function whyUnreadable(rest: string): string {
  if (!rest.includes('}')) return `\${ is never closed by }; write $\${ for a literal \${`;
  return `only \${NAME} and \${NAME:-default} are understood; write $\${ for a literal \${`;
}
