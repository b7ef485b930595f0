/** The parts of a plan that may hold secrets or whole files: their changes are named, their values never shown. */
const NAMED_ONLY: ReadonlySet<string> = new Set([
  ...['headers', 'set', 'ca', 'clientCa', 'certificates', 'auth', 'allow', 'sniServices'],
]);

/** What tells the members of a plan's unions apart. */
const TAGS = ['kind', 'type', 'from'] as const;

type Fields = Readonly<Record<string, unknown>>;

const LONGEST_VALUE = 60;
const MOST_FIELDS = 12;

/** Whether two pieces of plain data say the same. A field that is undefined counts as one that is not there. */
export function deepEqualPlan<T>(a: T, b: T): boolean {
  return equal(a, b);
}

function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  // told apart first, since nearly all of a plan's values are no objects
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a)) return Array.isArray(b) && equalItems(a, b);
  return !Array.isArray(b) && equalRecords(a as Fields, b as Fields);
}

function equalItems(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) if (!equal(a[at], b[at])) return false;
  return true;
}

function equalRecords(a: Fields, b: Fields): boolean {
  const keys = Object.keys(a);
  let shared = 0;
  for (const key of keys) {
    const isShared = Object.hasOwn(b, key);
    if (isShared) shared += 1;
    const value = a[key];
    if (isShared ? !equal(value, b[key]) : value !== undefined) return false;
  }
  const others = Object.keys(b);
  return others.length === shared || others.every((key) => Object.hasOwn(a, key) || b[key] === undefined);
}

/**
 * The fields that differ, for people: `balance: p2c → random, timeouts.headMs: 30000 → 5000, tls.ca changed`; empty when
 * none does. At most twelve, on one line.
 */
export function changedFields(before: object, after: object): string {
  const found: string[] = [];
  gather('', before, after, false, found);
  const more = found.length - MOST_FIELDS;
  return more > 0 ? `${found.slice(0, MOST_FIELDS).join(', ')} and ${more} more` : found.join(', ');
}

function gather(path: string, before: unknown, after: unknown, isHidden: boolean, found: string[]): void {
  if (equal(before, after)) return;
  if (!isRecord(before) || !isRecord(after) || tagOf(before) !== tagOf(after)) {
    found.push(difference(path, before, after, isHidden));
    return;
  }
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const inner = path === '' ? key : `${path}.${key}`;
    gather(inner, own(before, key), own(after, key), isHidden || NAMED_ONLY.has(key), found);
  }
}

function difference(path: string, before: unknown, after: unknown, isHidden: boolean): string {
  const isBlock = isRecord(before) || isRecord(after);
  const old = isHidden ? undefined : show(before, isBlock);
  const now = isHidden ? undefined : show(after, isBlock);
  if (old !== undefined && now !== undefined && old !== now) return `${path}: ${old} → ${now}`;
  if (before === undefined) return `${path} added`;
  return `${path} ${after === undefined ? 'removed' : 'changed'}`;
}

/** Undefined: too long to show, or better not shown. */
function show(value: unknown, isBlock: boolean): string | undefined {
  const text = wordsFor(value, isBlock);
  if (text.length > LONGEST_VALUE) return undefined;
  // a line break would end the line of the log, and a query may hold a token
  return /[\x00-\x1f\x7f?]/.test(text) ? undefined : text;
}

function wordsFor(value: unknown, isBlock: boolean): string {
  if (value === undefined) return isBlock ? 'off' : 'none';
  if (value === Number.MAX_SAFE_INTEGER) return 'no limit';
  if (Array.isArray(value)) return listed(value);
  return isRecord(value) ? (tagOf(value) ?? 'on') : String(value);
}

function listed(items: readonly unknown[]): string {
  if (items.length === 0) return 'none';
  // of blocks in a list only the number can be said in short
  return items.some(isRecord) ? `${items.length} of them` : items.join(' ');
}

function tagOf(record: Fields): string | undefined {
  for (const tag of TAGS) {
    const value = own(record, tag);
    if (typeof value === 'string') return value;
  }
  return undefined;
}

/** A field of that name, not what every object inherits (`constructor` is the name of a header too). */
function own(record: Fields, key: string): unknown {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
