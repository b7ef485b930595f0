/** What one reader makes of one HTTP/1.x message. Text is latin1, one character a byte. */
export interface Message {
  /** Empty for a response. */
  readonly method: string;
  readonly target: string;
  /** 0 for a request. */
  readonly status: number;
  readonly minorVersion: number;
  /** Names and values in turn, in their order. */
  readonly fields: readonly string[];
  readonly body: string;
  readonly keepAlive: boolean;
}

/** A property that does not hold. `what` is the same for all inputs that show the same fault. */
export interface Failure {
  readonly what: string;
  readonly ours: unknown;
  readonly llhttp: unknown;
}

export type Kind = 'requests' | 'responses' | 'bodies';

export const KINDS: readonly [Kind, ...Kind[]] = ['requests', 'responses', 'bodies'];

/** Where two readings of a message part; undefined when they agree. `keepAlive` is compared by the caller. */
export function difference(ours: Message, llhttp: Message): Failure | undefined {
  let what: string | undefined;
  if (ours.method !== llhttp.method) what = 'another method';
  else if (ours.target !== llhttp.target) what = 'another target';
  else if (ours.status !== llhttp.status) what = 'another status';
  else if (ours.minorVersion !== llhttp.minorVersion) what = 'another version';
  else if (!sameList(ours.fields, llhttp.fields)) what = 'other fields';
  else if (ours.body !== llhttp.body) what = 'another body';
  return what === undefined ? undefined : { what, ours, llhttp };
}

function sameList(left: readonly string[], right: readonly string[]): boolean {
  if (left.length !== right.length) return false;
  for (let i = 0; i < left.length; i++) if (left[i] !== right[i]) return false;
  return true;
}
