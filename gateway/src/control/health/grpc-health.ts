/** The two messages of grpc.health.v1.Health/Check (grpc/grpc, doc/health-checking.md), each of one field. */

export const CHECK_PATH = '/grpc.health.v1.Health/Check';

/** ServingStatus by number. */
const SERVING_STATUS = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'] as const;
export type ServingStatus = (typeof SERVING_STATUS)[number];

/** Field 1 with a length, and field 1 with a number (protobuf's wire types 2 and 0). */
const SERVICE_TAG = 0x0a;
const STATUS_TAG = 0x08;
const PREFIX_BYTES = 5;

/** HealthCheckRequest with its gRPC prefix. */
export function checkRequest(service: string): Buffer {
  const name = Buffer.from(service);
  const message =
    name.length === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.of(SERVICE_TAG), varint(name.length), name]);
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** What a whole answer's body says; undefined when it is no HealthCheckResponse. */
export function readServingStatus(body: Buffer): ServingStatus | undefined {
  if (body.length < PREFIX_BYTES || body[0] !== 0) return undefined;
  const message = body.subarray(PREFIX_BYTES);
  if (message.length !== body.readUInt32BE(1)) return undefined;
  // a field with its default value, 0, is left out
  if (message.length === 0) return 'UNKNOWN';
  return message.length === 2 && message[0] === STATUS_TAG ? SERVING_STATUS[message[1] ?? 0] : undefined;
}

/** Seven bits a byte, lowest first; all but the last have the high bit set. */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  return Buffer.from([...bytes, rest]);
}
