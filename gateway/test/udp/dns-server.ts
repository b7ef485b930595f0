import type { TestContext } from 'node:test';
import { UdpBackend } from './udp-stage.ts';

const HEADER_BYTES = 12;
/** Type A, class IN, one hour, four bytes (RFC 1035 §4.1.3); the name is a pointer to the question. */
const RECORD = [0xc0, HEADER_BYTES, 0, 1, 0, 1, 0, 0, 0x0e, 0x10, 0, 4];

/** A DNS server that knows one address and gives it for every name (RFC 1035). */
export function startDns(t: TestContext, address: string): Promise<UdpBackend> {
  return UdpBackend.start(t, (_text, query) => [answerTo(query, address)]);
}

function answerTo(query: Buffer, address: string): Buffer {
  let end = HEADER_BYTES;
  while (end < query.length && query[end] !== 0) end += (query[end] ?? 0) + 1;
  const question = query.subarray(HEADER_BYTES, end + 5);
  const header = Buffer.alloc(HEADER_BYTES);
  query.copy(header, 0, 0, 2);
  header.writeUInt16BE(0x8180, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(1, 6);
  return Buffer.concat([header, question, Buffer.from(RECORD), Buffer.from(address.split('.').map(Number))]);
}
