import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseWrk } from '../load.ts';

const GOOD = `Running 5s test @ http://127.0.0.1:8080/small
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.02ms  342.11us  12.40ms   89.63%
    Req/Sec    61.93k     3.10k   66.02k    76.00%
  Latency Distribution
     50%  893.00us
     75%    1.16ms
     90%    1.40ms
     99%    2.33ms
  308201 requests in 5.00s, 236.91MB read
Requests/sec:  61640.22
Transfer/sec:     47.38MB
`;

describe('the output of wrk', () => {
  it('gives requests, rate and latencies in milliseconds', () => {
    assert.deepEqual(parseWrk(GOOD), {
      requests: 308_201,
      seconds: 5,
      requestsPerSecond: 61_640.22,
      p50Ms: 0.893,
      p99Ms: 2.33,
      socketErrors: 0,
      badStatuses: 0,
    });
  });

  it('adds up socket errors and tells bad statuses apart', () => {
    const bad = GOOD.replace(
      'Requests/sec',
      '  Socket errors: connect 1, read 20, write 300, timeout 4000\n  Non-2xx or 3xx responses: 17\nRequests/sec',
    );
    const result = parseWrk(bad);
    assert.equal(result.socketErrors, 4321);
    assert.equal(result.badStatuses, 17);
  });

  it('is read with seconds and minutes, which wrk pads with a space', () => {
    const slow = GOOD.replace('2.33ms', '1.20s ')
      .replace('893.00us', '  2.00m ')
      .replace('in 5.00s', 'in 1.50m');
    const result = parseWrk(slow);
    assert.equal(result.p99Ms, 1200);
    assert.equal(result.p50Ms, 120_000);
    assert.equal(result.seconds, 90);
  });

  it('is refused when it is no result', () => {
    assert.throws(() => parseWrk('unable to connect to 127.0.0.1:1 Connection refused'), /printed no result/);
  });
});
