import assert from 'node:assert/strict';
import { test } from 'node:test';
import { complaints, load } from './loading.ts';
import { REST } from './problem-table.ts';

function controlOf(text: string) {
  const result = load(`${text}\n${REST}`);
  assert.ok(result.ok, complaints(result).join('\n'));
  return result.control;
}

const modeOf = (keys: string) => controlOf(`accessLog: { ${keys} }`).accessLog?.mode;

test('an access log that says no mode is on, and sampled where a share is given', () => {
  assert.equal(modeOf(''), 'all');
  assert.equal(modeOf('path: a.log'), 'all');
  assert.equal(modeOf('sample: 1%'), 'sampled');
  assert.equal(modeOf('mode: errors'), 'errors');
  assert.equal(controlOf('accessLog: { mode: off }').accessLog, undefined);
});

test('a path is stdout, or a file beside the config', () => {
  const fileOf = (path: string) => controlOf(`accessLog: { path: ${path} }`).accessLog?.file;
  assert.equal(controlOf('accessLog: {}').accessLog?.file, undefined);
  assert.equal(fileOf('stdout'), undefined);
  assert.equal(fileOf('/dev/stdout'), undefined);
  assert.equal(fileOf('access.log'), '/etc/portway/access.log');
  assert.equal(fileOf('/var/log/a'), '/var/log/a');
});

test('the query is redacted by names that look secret, and by more, all or none', () => {
  const queryOf = (query: string) =>
    controlOf(`accessLog: { redact: { query: ${query} } }`).accessLog?.redact.query;
  assert.deepEqual(controlOf('accessLog: {}').accessLog?.redact.query, []);
  assert.equal(queryOf('true'), 'all');
  assert.equal(queryOf('false'), 'none');
  assert.deepEqual(queryOf('[Id, "user name"]'), ['id', 'user name']);
});

test('spans go to /v1/traces of a collector that only a host is named of, and nowhere for an empty one', () => {
  const urlOf = (otlp: string) => controlOf(`tracing: { otlp: "${otlp}" }`).tracing?.url;
  assert.equal(urlOf('http://h:4318'), 'http://h:4318/v1/traces');
  assert.equal(urlOf('http://h:4318/'), 'http://h:4318/v1/traces');
  assert.equal(urlOf('http://h:4318/otlp/v1/traces'), 'http://h:4318/otlp/v1/traces');
  assert.equal(urlOf(''), undefined);
});

test('the headers of a collector are secrets: no complaint shows them', () => {
  const said = complaints(load(`tracing: { otlp: "http://h", headers: { X-Key: "hunter2\\n" } }\n${REST}`));
  assert.equal(said.length, 1);
  assert.ok(!said.join().includes('hunter2'), said.join());
});
