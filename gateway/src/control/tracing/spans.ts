import type { AttemptReport, ExchangeReport, TraceReport } from '../../data/port.ts';
import type { QueryRedaction } from '../access-log/redact-query.ts';
import { terminationOf } from '../access-log/termination.ts';
import { Attributes } from './attributes.ts';
import { requestField } from './request-field.ts';

const SERVER = 2;
const CLIENT = 3;
const ERROR = ',"status":{"code":2}';
/** Bits of a span's flags beside those of W3C: whether it is said where the parent is, and whether that is elsewhere. */
const HAS_IS_REMOTE = 0x100;
const IS_REMOTE = 0x200;

/** Methods that stand for themselves in names and attributes (OpenTelemetry's HTTP conventions); others are many. */
const METHODS: ReadonlySet<string> = new Set(
  'CONNECT DELETE GET HEAD OPTIONS PATCH POST PUT TRACE QUERY'.split(' '),
);

/** OpenTelemetry's words. */
const VERSIONS: Readonly<Record<ExchangeReport['protocol'], string>> = {
  'HTTP/1.0': '1.0',
  'HTTP/1.1': '1.1',
  'HTTP/2.0': '2',
  TCP: '',
  UDP: '',
  '': '',
};
const SCHEMES = { http: 'http', https: 'https', h2: 'https', h2c: 'http', tcp: 'tcp', udp: 'udp' } as const;
const BACKEND_VERSIONS = { http: '1.1', https: '1.1', h2: '2', h2c: '2', tcp: '', udp: '' } as const;

/**
 * The spans of a traced exchange in OTLP's JSON: one of the gateway's own, and one for each attempt at a backend, named and
 * filled by OpenTelemetry's semantic conventions for HTTP.
 */
export function spansOf(
  report: ExchangeReport,
  trace: TraceReport,
  endedWallMs: number,
  query: QueryRedaction,
): readonly string[] {
  const wallMs = endedWallMs - report.durationMs - report.startedMs;
  const server = serverSpan(report, trace, wallMs, query);
  const attempts = trace.attempts.map((attempt, index) =>
    attemptSpan(report, trace, attempt, index, wallMs, query),
  );
  return [server, ...attempts];
}

function serverSpan(
  report: ExchangeReport,
  { traceId, spanId, parentId, flags, attempts }: TraceReport,
  wallMs: number,
  query: QueryRedaction,
): string {
  const { failure, status, routePath } = report;
  const { address, port } = addressOf(report.host);
  const left = failure === 'client_left';
  const attributes = methodOf(report, new Attributes())
    .text('url.scheme', report.scheme)
    .text('url.path', report.path)
    .text('url.query', query.of(report.query.slice(1)))
    .text('http.route', routePath)
    .int('http.response.status_code', left ? undefined : status)
    .text('server.address', address)
    .int('server.port', port)
    .text('client.address', report.clientIp)
    .text('network.peer.address', report.peerIp)
    .text('network.protocol.version', VERSIONS[report.protocol])
    .text('user_agent.original', requestField(report.head, 'user-agent'))
    .text('error.type', failure ?? (status >= 500 ? String(status) : undefined))
    .text('portway.request_id', report.requestId)
    .text('portway.route', report.route)
    .text('portway.service', report.service)
    .text('portway.backend', report.backend)
    .text('portway.termination', terminationOf(failure, report.phase).letters)
    .int('portway.attempts', attempts.length)
    .double('portway.queue_ms', report.queueMs)
    .double('portway.connect_ms', report.connectMs);
  addTunnel(report, attributes);
  const remote = parentId === '' ? HAS_IS_REMOTE : HAS_IS_REMOTE | IS_REMOTE;
  const method = shownMethod(report.method);
  return span({
    ids: { traceId, spanId, parentId, flags: Number.parseInt(flags, 16) | remote },
    name: routePath === undefined ? method : `${method} ${routePath}`,
    kind: SERVER,
    startMs: wallMs + report.startedMs,
    endMs: wallMs + report.startedMs + report.durationMs,
    attributes,
    // a fault of the client is none of the server's
    failed: status >= 500,
  });
}

function attemptSpan(
  report: ExchangeReport,
  trace: TraceReport,
  attempt: AttemptReport,
  index: number,
  wallMs: number,
  query: QueryRedaction,
): string {
  const { status, failure, target } = attempt;
  const mark = target.indexOf('?');
  const redacted = mark < 0 ? target : target.slice(0, mark) + query.of(target.slice(mark));
  const attributes = methodOf(report, new Attributes())
    .text('url.full', `${SCHEMES[attempt.protocol]}://${attempt.backend}${redacted}`)
    .text('server.address', attempt.host)
    .int('server.port', attempt.port)
    .int('http.response.status_code', status === 0 ? undefined : status)
    .int('http.request.resend_count', index === 0 ? undefined : index)
    .text('network.protocol.version', BACKEND_VERSIONS[attempt.protocol])
    .text('error.type', failure ?? (status >= 400 ? String(status) : undefined))
    .text('portway.service', report.service)
    .text('portway.backend', attempt.backend)
    .text('portway.attempt', attempt.kind);
  if (status === 0 && failure === undefined) attributes.bool('portway.cancelled', true);
  return span({
    ids: {
      traceId: trace.traceId,
      spanId: attempt.spanId,
      parentId: trace.spanId,
      flags: Number.parseInt(trace.flags, 16) | HAS_IS_REMOTE,
    },
    name: shownMethod(report.method),
    kind: CLIENT,
    startMs: wallMs + attempt.startedMs,
    endMs: wallMs + attempt.endedMs,
    attributes,
    failed: failure !== undefined || status >= 400,
  });
}

/** What goes through a tunnel is none of the gateway's business, but how much of it, and how that ended. */
function addTunnel({ tunnel }: ExchangeReport, attributes: Attributes): void {
  if (tunnel === undefined) return;
  attributes
    .int('portway.tunnel.bytes_in', tunnel.bytesIn)
    .int('portway.tunnel.bytes_out', tunnel.bytesOut)
    .text('portway.tunnel.ended', tunnel.ending);
}

function methodOf({ method }: ExchangeReport, attributes: Attributes): Attributes {
  if (METHODS.has(method)) return attributes.text('http.request.method', method);
  return attributes.text('http.request.method', '_OTHER').text('http.request.method_original', method);
}

function shownMethod(method: string): string {
  return METHODS.has(method) ? method : 'HTTP';
}

/** Host, without the brackets of IPv6, and port. */
function addressOf(host: string): { readonly address: string; readonly port: number | undefined } {
  const [, address = host, port] = /^(.*?)(?::([0-9]{1,5}))?$/.exec(host) ?? [];
  return {
    address: address.replace(/^\[(.*)\]$/, '$1'),
    port: port === undefined ? undefined : Number(port),
  };
}

interface Span {
  readonly ids: {
    readonly traceId: string;
    readonly spanId: string;
    readonly parentId: string;
    readonly flags: number;
  };
  /** Route path and method: from the config, and so without anything that needs an escape but what JSON.stringify sees to. */
  readonly name: string;
  readonly kind: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Attributes;
  readonly failed: boolean;
}

function span({ ids, name, kind, startMs, endMs, attributes, failed }: Span): string {
  const parent = ids.parentId === '' ? '' : `,"parentSpanId":"${ids.parentId}"`;
  return (
    `{"traceId":"${ids.traceId}","spanId":"${ids.spanId}"${parent},"flags":${ids.flags},"name":${JSON.stringify(name)}` +
    `,"kind":${kind},"startTimeUnixNano":"${nanos(startMs)}","endTimeUnixNano":"${nanos(Math.max(startMs, endMs))}"` +
    `,"attributes":${attributes}${failed ? ERROR : ''}}`
  );
}

/** Milliseconds since 1970 as nanoseconds, to the microsecond: more than a double holds. */
function nanos(ms: number): string {
  const us = Math.round(ms * 1_000);
  return `${us}000`;
}
