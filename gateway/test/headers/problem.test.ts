import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problemFor } from '../../src/data/problem.ts';
import { FAILURES, type FailureCode } from '../../src/errors.ts';

const CODES = Object.keys(FAILURES) as FailureCode[];
/** RFC 9209 §2.3, and connection_terminated and the like of its registry. */
const PROXY_ERRORS: ReadonlySet<string> = new Set([
  'dns_timeout',
  'dns_error',
  'destination_not_found',
  'destination_unavailable',
  'destination_ip_prohibited',
  'destination_ip_unroutable',
  'connection_refused',
  'connection_terminated',
  'connection_timeout',
  'connection_read_timeout',
  'connection_write_timeout',
  'connection_limit_reached',
  'tls_protocol_error',
  'tls_certificate_error',
  'tls_alert_received',
  'http_request_error',
  'http_request_denied',
  'http_response_incomplete',
  'http_response_header_section_size',
  'http_response_header_size',
  'http_response_body_size',
  'http_response_trailer_section_size',
  'http_response_trailer_size',
  'http_response_transfer_coding',
  'http_response_content_coding',
  'http_response_timeout',
  'http_upgrade_failed',
  'http_protocol_error',
  'proxy_internal_response',
  'proxy_internal_error',
  'proxy_configuration_error',
  'proxy_loop_detected',
]);

/** Nobody's failure, and yet no other status would be true: the client's own deadline, a backend that is asked too much. */
const EXCEPTIONS: ReadonlyMap<string, number> = new Map([
  ['grpc_deadline', 504],
  ['no_upgrade', 502],
]);

test('every failure has a registered Proxy-Status error, and a status of the side at fault', () => {
  for (const code of CODES) {
    const { fault, status, proxyError, title, retryable } = FAILURES[code];
    assert.ok(PROXY_ERRORS.has(proxyError), `${code}: ${proxyError}`);
    assert.match(title, /^[A-Z][^"\\]*[^.]$/);
    if (fault !== 'upstream') assert.equal(retryable, false, code);
    if (EXCEPTIONS.has(code)) {
      assert.equal(status, EXCEPTIONS.get(code));
      continue;
    }
    if (fault === 'client')
      assert.ok((status >= 400 && status < 500) || status === 501 || status === 505, code);
    if (fault === 'upstream') assert.ok([502, 503, 504].includes(status), code);
    if (fault === 'gateway') assert.ok([500, 503].includes(status), code);
  }
});

test('the answer to a failure is problem details with a length that is right, and Proxy-Status', () => {
  for (const code of CODES) {
    const { status, title } = FAILURES[code];
    const problem = problemFor(code, undefined, '');
    assert.equal(problem.status, status);
    assert.deepEqual(JSON.parse(problem.body), { type: 'about:blank', title, status, code });
    assert.match(problem.head, new RegExp(`^HTTP/1\\.1 ${status} `));
    assert.match(problem.head, new RegExp(`\\r\\nContent-Length: ${problem.body.length}\\r\\n`));
    assert.match(
      problem.head,
      new RegExp(`\\r\\nProxy-Status: portway; error=${FAILURES[code].proxyError}; details="${code}"\\r\\n`),
    );
    assert.equal(/\r\nRetry-After: 1\r\n/.test(problem.head), status === 503, code);
    assert.ok(problem.head.endsWith('\r\n') && !problem.head.includes('\r\n\r\n'));
  }
});

test('detail, request id and further fields are added where there are some', () => {
  const problem = problemFor('bad_path', 'holds “☃”', 'id-1', 'Allow: GET\r\n');
  const body: unknown = JSON.parse(Buffer.from(problem.body, 'latin1').toString());
  assert.deepEqual(body, {
    type: 'about:blank',
    title: FAILURES.bad_path.title,
    status: 400,
    code: 'bad_path',
    detail: 'holds “☃”',
    requestId: 'id-1',
  });
  assert.match(
    problem.head,
    new RegExp(`\\r\\nContent-Length: ${Buffer.byteLength(problem.body, 'latin1')}\\r\\n`),
  );
  assert.match(problem.head, /\r\nX-Request-Id: id-1\r\n/);
  assert.match(problem.head, /\r\nAllow: GET\r\n$/);
});
