import { clientText, quoted } from '../access-log/json-text.ts';

/** Longer values say nothing more, and a queue of spans must stay small. */
const MAX_CHARS = 1_024;

/** The attributes of one span as OTLP's JSON has them. */
export class Attributes {
  #text = '';

  /** What a client may have chosen included. Empty and undefined values are left out. */
  text(key: string, value: string | undefined): this {
    if (value === undefined || value === '') return this;
    return this.#add(key, `{"stringValue":${quoted(clientText(value, MAX_CHARS))}}`);
  }

  /** Whole numbers; 64 bits are text in protobuf's JSON. */
  int(key: string, value: number | undefined): this {
    return value === undefined ? this : this.#add(key, `{"intValue":"${value}"}`);
  }

  double(key: string, value: number): this {
    return this.#add(key, `{"doubleValue":${value}}`);
  }

  bool(key: string, value: boolean): this {
    return this.#add(key, `{"boolValue":${value}}`);
  }

  toString(): string {
    return `[${this.#text}]`;
  }

  /** @param key known to need no escape */
  #add(key: string, value: string): this {
    this.#text += `${this.#text === '' ? '' : ','}{"key":"${key}","value":${value}}`;
    return this;
  }
}
