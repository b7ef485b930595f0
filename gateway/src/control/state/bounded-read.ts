import type { ChainableCommander } from 'ioredis';
import { isWrongType, RedisFailure } from './redis-failure.ts';
import type { RedisClient } from './redis-session.ts';

/** A hash, and which of its fields are wanted. */
export interface HashQuestion {
  readonly key: string;
  readonly fields: readonly string[];
}

export interface HashAnswer {
  readonly key: string;
  /** By field; fields that are not there are left out. */
  readonly values: ReadonlyMap<string, string>;
  /** Fields whose values are too long to be ours, and were not read. */
  readonly tooLong: readonly string[];
  /** The key holds something that is not a hash. */
  readonly wrongType: boolean;
}

/** In the place of a reply: the key holds something of another type. */
export const WRONG_TYPE: unique symbol = Symbol('WRONGTYPE');

const MAX_BATCH = 1_000;

/**
 * Sends what `build` adds in one go.
 * @returns the replies, in order
 * @throws whatever error any command met, but for WRONG_TYPE
 */
export async function batch(
  client: RedisClient,
  build: (pipeline: ChainableCommander) => void,
): Promise<unknown[]> {
  const pipeline = client.pipeline();
  build(pipeline);
  if (pipeline.length === 0) return [];
  const replies = await pipeline.exec();
  if (replies === null) throw new RedisFailure('it did not answer');
  return replies.map(([error, reply]) => {
    if (error === null) return reply;
    if (isWrongType(error)) return WRONG_TYPE;
    throw error;
  });
}

/**
 * The wanted fields of hashes, at most `maxLength` bytes each: whoever else writes under our keys decides neither how
 * much is read nor how long it takes.
 */
export async function readHashes(
  client: RedisClient,
  questions: readonly HashQuestion[],
  maxLength: number,
): Promise<HashAnswer[]> {
  const lengths = await batch(client, (pipeline) => {
    for (const { key } of questions) pipeline.hlen(key);
  });
  const answers: HashAnswer[] = [];
  let group: HashQuestion[] = [];
  let commands = 0;
  for (const [index, question] of questions.entries()) {
    const length = lengths[index];
    const empty = length === WRONG_TYPE || length === 0;
    if (empty) {
      const wrongType = length === WRONG_TYPE;
      answers.push({ key: question.key, values: new Map(), tooLong: [], wrongType });
      continue;
    }
    group.push(question);
    commands += question.fields.length;
    if (commands < MAX_BATCH) continue;
    answers.push(...(await readGroup(client, group, maxLength)));
    group = [];
    commands = 0;
  }
  answers.push(...(await readGroup(client, group, maxLength)));
  return answers;
}

async function readGroup(
  client: RedisClient,
  questions: readonly HashQuestion[],
  maxLength: number,
): Promise<HashAnswer[]> {
  const lengths = await batch(client, (pipeline) => {
    for (const { key, fields } of questions) for (const field of fields) pipeline.hstrlen(key, field);
  });
  let at = 0;
  const wanted = questions.map(({ key, fields }) => {
    const sized = fields.map((field) => ({ field, length: Number(lengths[at++]) }));
    return {
      key,
      fields: sized.filter(({ length }) => length > 0 && length <= maxLength).map(({ field }) => field),
      tooLong: sized.filter(({ length }) => length > maxLength).map(({ field }) => field),
    };
  });
  const asked = wanted.filter(({ fields }) => fields.length > 0);
  const replies = await batch(client, (pipeline) => {
    for (const { key, fields } of asked) pipeline.hmget(key, ...fields);
  });
  const found = new Map(asked.map(({ key }, index) => [key, replies[index]]));
  return wanted.map(({ key, fields, tooLong }) => {
    const reply = found.get(key);
    return { key, values: textsOf(fields, reply), tooLong, wrongType: reply === WRONG_TYPE };
  });
}

function textsOf(fields: readonly string[], reply: unknown): Map<string, string> {
  const values = new Map<string, string>();
  if (!Array.isArray(reply)) return values;
  for (const [index, field] of fields.entries()) {
    const value: unknown = reply[index];
    if (typeof value === 'string') values.set(field, value);
  }
  return values;
}
