/**
 * Every failure the gateway can meet, in one table: whose fault it is, the status a client sees, the RFC 9209
 * error type for Proxy-Status, and a title for people. Upstream's fault is 502, 503 or 504, never 500.
 */

type Fault = 'client' | 'upstream' | 'gateway';

export interface Failure {
  readonly fault: Fault;
  /** 499 is never sent: it is what the log and the counters say of a client that left (nginx's habit). */
  readonly status: number;
  /** RFC 9209 §2.3. */
  readonly proxyError: string;
  readonly title: string;
  /** Whether another attempt may help, if what was sent can be sent again (retry.ts decides that). */
  readonly retryable: boolean;
}

const client = (status: number, title: string, proxyError = 'http_request_error'): Failure => ({
  fault: 'client',
  status,
  proxyError,
  title,
  retryable: false,
});
const upstream = (status: number, proxyError: string, title: string, retryable: boolean): Failure => ({
  fault: 'upstream',
  status,
  proxyError,
  title,
  retryable,
});
const gateway = (status: number, proxyError: string, title: string): Failure => ({
  fault: 'gateway',
  status,
  proxyError,
  title,
  retryable: false,
});

export const FAILURES = {
  // what a client can do wrong (RFC 9112 unless another is named)
  bad_request_line: client(400, 'The request line is malformed'),
  bad_method: client(400, 'The method is not a token'),
  bad_target: client(400, 'The request target is malformed'),
  bad_path: client(400, 'The path is malformed or climbs above the root'),
  ambiguous_path: client(400, 'The path leads to different routes depending on how %2F is read'),
  bad_version: client(505, 'Only HTTP/1.0 and HTTP/1.1 are spoken here'),
  bad_field: client(400, 'A header field is malformed'),
  bad_pseudo_field: client(400, 'The pseudo-header fields are not those of a request'),
  unknown_protocol: client(501, 'Of all protocols only WebSocket can be tunnelled in HTTP/2'),
  bad_host: client(400, 'Host is missing, repeated or malformed'),
  bad_content_length: client(400, 'Content-Length is malformed or repeated'),
  bad_transfer_encoding: client(400, 'Transfer-Encoding is malformed or contradicts the rest'),
  unknown_transfer_coding: client(501, 'Only the chunked transfer coding is understood'),
  bad_chunk: client(400, 'The chunked body is malformed'),
  bad_trailer: client(400, 'A trailer field is malformed'),
  bad_expect: client(417, 'Only 100-continue can be expected'),
  head_too_large: client(431, 'The request head is too large'),
  too_many_fields: client(431, 'The request has too many header fields'),
  target_too_long: client(414, 'The request target is too long'),
  body_too_large: client(413, 'The request body is larger than this route takes'),
  http2_flood: client(429, 'The connection was flooded with frames that are no requests'),
  head_timeout: client(408, 'The request head did not arrive in time'),
  body_timeout: client(408, 'The request body stopped arriving'),
  bad_proxy_header: client(400, 'The PROXY header is malformed'),
  bad_client_hello: client(400, 'The TLS hello is malformed', 'tls_protocol_error'),
  hello_timeout: client(408, 'The PROXY header or the TLS hello did not arrive in time'),
  unknown_server_name: client(421, 'No service is for the name in the TLS hello', 'destination_not_found'),
  tls_handshake_failed: client(400, 'The TLS handshake with the client failed'),
  client_left: client(499, 'The client left before the answer was complete'),
  grpc_deadline: client(504, 'The time that the client gave the call is over', 'http_response_timeout'),
  no_route: client(404, 'No route matches this host and path', 'destination_not_found'),
  method_not_allowed: client(405, 'The route does not take this method'),
  proxy_auth_required: client(
    407,
    'Name and password for this proxy are missing or wrong',
    'http_request_denied',
  ),
  tunnel_denied: client(403, 'This proxy does not go there', 'http_request_denied'),
  connect_with_body: client(400, 'CONNECT has no body'),
  method_not_served: client(405, 'Neither TRACE nor CONNECT is served here'),
  // what a backend can do wrong
  connect_refused: upstream(502, 'connection_refused', 'The backend refused the connection', true),
  connect_timeout: upstream(
    504,
    'connection_timeout',
    'The backend did not accept the connection in time',
    true,
  ),
  connect_failed: upstream(502, 'destination_ip_unroutable', 'The backend cannot be reached', true),
  tls_failed: upstream(502, 'tls_protocol_error', 'The TLS handshake with the backend failed', true),
  tls_untrusted: upstream(502, 'tls_certificate_error', "The backend's certificate is not trusted", true),
  dns_failed: upstream(502, 'dns_error', "The backend's name cannot be resolved", true),
  backend_closed: upstream(
    502,
    'connection_terminated',
    'The backend closed the connection without an answer',
    true,
  ),
  backend_truncated: upstream(502, 'http_response_incomplete', 'The backend broke off its answer', false),
  bad_response: upstream(502, 'http_protocol_error', 'The backend sent a malformed answer', false),
  bad_upgrade: upstream(
    502,
    'http_upgrade_failed',
    'The backend switched to a protocol nobody asked for',
    false,
  ),
  response_head_too_large: upstream(
    502,
    'http_response_header_section_size',
    "The head of the backend's answer is too large",
    false,
  ),
  no_http2: upstream(502, 'http_protocol_error', 'The backend does not speak HTTP/2', true),
  stream_refused: upstream(
    503,
    'connection_limit_reached',
    'The backend refused the request without looking at it',
    true,
  ),
  response_timeout: upstream(504, 'http_response_timeout', 'The backend did not answer in time', false),
  idle_timeout: upstream(
    504,
    'connection_read_timeout',
    'The backend fell silent in the middle of the exchange',
    false,
  ),
  total_timeout: upstream(
    504,
    'http_response_timeout',
    'The request took longer than its route allows',
    false,
  ),
  no_backend: upstream(
    503,
    'destination_unavailable',
    'No backend of the service can take the request',
    false,
  ),
  // what the gateway refuses for its own protection
  queue_full: gateway(503, 'connection_limit_reached', "The queue for the service's backends is full"),
  queue_timeout: gateway(503, 'connection_limit_reached', 'No connection to a backend came free in time'),
  overloaded: gateway(
    503,
    'connection_limit_reached',
    'More requests are under way than are allowed at once',
  ),
  admission_timeout: gateway(
    503,
    'connection_limit_reached',
    'No request under way ended in time to make room for this one',
  ),
  too_many_tunnels: gateway(
    503,
    'connection_limit_reached',
    'More tunnels are open than are allowed at once',
  ),
  no_upgrade: gateway(502, 'http_upgrade_failed', 'The backend does not take upgraded connections'),
  out_of_sockets: gateway(503, 'proxy_internal_error', 'The gateway has no socket left for this request'),
  shutting_down: gateway(503, 'proxy_internal_response', 'The gateway is shutting down'),
  route_gone: gateway(503, 'proxy_internal_response', 'A reload took the way away that the answer came by'),
  internal: gateway(500, 'proxy_internal_error', 'The gateway failed'),
} as const satisfies Record<string, Failure>;

export type FailureCode = keyof typeof FAILURES;
