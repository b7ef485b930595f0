/** Why Redis cannot be used, in words that are fit for logs. */
export class RedisFailure extends Error {
  override readonly name = 'RedisFailure';
}

const WORDS: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'connection refused'],
  ['ECONNRESET', 'connection reset'],
  ['EPIPE', 'connection reset'],
  ['ETIMEDOUT', 'no connection in time'],
  ['ENOTFOUND', 'its name cannot be resolved'],
  ['EAI_AGAIN', 'its name cannot be resolved'],
  ['EHOSTUNREACH', 'no route to it'],
  ['ENETUNREACH', 'no route to it'],
  ['LOADING', 'it is loading its data (LOADING)'],
  ['READONLY', 'it is a read-only replica (READONLY)'],
  ['MASTERDOWN', 'its master is down (MASTERDOWN)'],
  ['CLUSTERDOWN', 'the cluster is down (CLUSTERDOWN)'],
  ['NOAUTH', 'it wants a password (NOAUTH)'],
  ['WRONGPASS', 'user or password are wrong (WRONGPASS)'],
  ['NOPERM', 'the user may not use these keys, channels or commands (NOPERM)'],
  ['OOM', 'it is out of memory (OOM)'],
  ['MISCONF', 'it cannot persist and refuses writes (MISCONF)'],
]);

/**
 * What happened, without the message of `error`: Redis repeats in some of its errors what it was sent, the password
 * in HELLO and AUTH included.
 */
export function describeFailure(error: unknown): string {
  if (error instanceof RedisFailure) return error.message;
  if (!(error instanceof Error)) return 'it failed';
  // the last cause that says something: sentinels and clusters wrap it
  const text = `${codeOf(error)} ${error.message} ${codeOf(lastNodeError(error))} ${lastNodeError(error)?.message ?? ''}`;
  if (text.includes('timed out') || text.includes('timeout')) return 'no answer in time';
  for (const word of text.split(/[\s:]+/)) {
    const known = WORDS.get(word);
    if (known !== undefined) return known;
  }
  const code = codeOf(error);
  // certificates: DEPTH_ZERO_SELF_SIGNED_CERT, ERR_TLS_CERT_ALTNAME_INVALID
  if (/^[A-Z][A-Z0-9_]{2,60}$/.test(code)) return code;
  if (text.includes('All sentinels')) return 'no sentinel knows where the master is';
  return text.includes('closed') ? 'connection closed' : 'it answered with an error';
}

/** Whether the key holds something of another type, which is no fault of the connection. */
export function isWrongType(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('WRONGTYPE');
}

function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : '';
  return typeof code === 'string' ? code : '';
}

function lastNodeError(error: Error): Error | undefined {
  return 'lastNodeError' in error && error.lastNodeError instanceof Error ? error.lastNodeError : undefined;
}
