import type { ProblemCase } from './problem-table.ts';
import { REST } from './problem-table.ts';

const accessLog = (keys: string): string => `accessLog: { ${keys} }\n${REST}`;
const tracing = (keys: string): string => `tracing: { ${keys} }\n${REST}`;

/** The top-level blocks that are for those who watch: log, accessLog, tracing. */
export const LOG_CASES: readonly ProblemCase[] = [
  { name: 'blocks of logs that only switch on', text: `log: {}\naccessLog: {}\n${REST}`, said: [] },
  { name: 'logs that are switched off', text: `accessLog: false\ntracing: false\n${REST}`, said: [] },
  { name: 'an access log of mode off', text: accessLog('mode: off'), said: [] },
  {
    name: 'a log by another name',
    text: `logging: { format: json }\nopentelemetry: {}\naccess_log: {}\n${REST}`,
    said: [
      '1:1: unknown key logging in the config; did you mean log?',
      '2:1: unknown key opentelemetry in the config; did you mean tracing?',
      '3:1: unknown key access_log in the config; did you mean accessLog?',
    ],
  },
  {
    name: 'a format and a level that are not there',
    text: `log: { format: jsno, level: debug }\n${REST}`,
    said: [
      '1:16: format: jsno is not known; did you mean json?',
      '1:29: level: debug is not known; did you mean info?',
    ],
  },
  {
    name: 'keys of an access log by other names',
    text: accessLog('file: a.log, sampleRate: 1%'),
    said: [
      '1:14: unknown key file in accessLog; did you mean path?',
      '1:27: unknown key sampleRate in accessLog; did you mean sample?',
    ],
  },
  {
    name: 'an access log that is only true',
    text: `accessLog: true\n${REST}`,
    said: ['1:12: accessLog: expected a block of keys or false, got true'],
  },
  {
    name: 'a mode that is not there',
    text: accessLog('mode: error'),
    said: ['1:20: mode: error is not known; did you mean errors?'],
  },
  {
    name: 'shares that could mean two things',
    text: `accessLog: { sample: 0.1 }\ntracing: { otlp: "http://h", sample: 5 }\n${REST}`,
    said: [
      '1:22: sample: 0.1 is not a percentage such as 1%; did you mean 10%?',
      '2:38: sample: 5 is not a percentage such as 1%; did you mean 5%?',
    ],
  },
  {
    name: 'a share beyond all',
    text: accessLog('sample: 101%'),
    said: ['1:22: sample: 101% is not a percentage such as 1%'],
  },
  {
    name: 'a share with a space',
    text: accessLog('sample: 1 %'),
    said: ['1:22: sample: "1 %" is not a percentage such as 1%; did you mean 1%?'],
  },
  {
    name: 'a share that says nothing',
    text: accessLog('mode: all, sample: 1%'),
    said: ['1:33: warning: sample: says nothing with mode: all'],
  },
  {
    name: 'credentials in the log',
    text: accessLog('headers: [User-Agent, Cookie, AUTHORIZATION, X-Portway-Explain]'),
    said: [
      '1:36: warning: headers: the value of Cookie is never logged',
      '1:44: warning: headers: the value of AUTHORIZATION is never logged',
      '1:59: warning: headers: the value of X-Portway-Explain is never logged',
    ],
  },
  {
    name: 'header names that are none',
    text: accessLog('headers: ["a b"], redact: { headers: [""] }'),
    said: [
      '1:24: headers[0]: "a b" is not a header name; did you mean a-b?',
      '1:52: headers[0]: "" is not a header name',
    ],
  },
  { name: 'all of the query redacted', text: accessLog('redact: { query: true }'), said: [] },
  { name: 'none of the query redacted', text: accessLog('redact: { query: false }'), said: [] },
  { name: 'names redacted', text: accessLog('redact: { query: [id, "user id", 7] }'), said: [] },
  {
    name: 'queries redacted by a word',
    text: accessLog('redact: { query: some }'),
    said: ['1:31: query: expected true, false, or a list of names, got some'],
  },
  {
    name: 'a collector without its block',
    text: `tracing: "http://user:hunter2@h"\n${REST}`,
    said: ['1:10: tracing: expected a block of keys or false, got a value (hidden)'],
  },
  {
    name: 'a collector that is not named',
    text: tracing('sample: 1%'),
    said: ['1:10: tracing: otlp is missing'],
  },
  {
    name: 'a collector by another name',
    text: tracing('endpoint: "http://h:4318"'),
    said: ['1:10: tracing: otlp is missing', '1:12: unknown key endpoint in tracing; did you mean otlp?'],
  },
  { name: 'a collector whose URL is empty', text: tracing('otlp: ""'), said: [] },
  {
    name: 'a collector with a password',
    text: tracing('otlp: "http://u:hunter2@h:4318"'),
    said: ['1:18: otlp: the URL of a collector holds no user or password; say headers: { Authorization: … }'],
  },
  {
    name: 'collectors that are not URLs of HTTP',
    text: tracing('otlp: "grpc://h:4317"'),
    said: ['1:18: otlp: the URL of a collector starts with http:// or https:// and names a host'],
  },
  {
    name: 'a collector with a query',
    text: tracing('otlp: "http://h/v1/traces?key=hunter2"'),
    said: ['1:18: otlp: the URL of a collector has no query or fragment'],
  },
  {
    name: 'the port of OTLP over gRPC',
    text: tracing('otlp: "http://h:4317"'),
    said: ['1:18: warning: otlp: 4317 is the port of OTLP over gRPC; over HTTP it is 4318'],
  },
  {
    name: 'headers of a collector that frame a request',
    text: tracing('otlp: "http://h", headers: { Content-Length: 1 }'),
    said: [
      '1:41: headers: Content-Length belongs to the gateway, which writes it for each connection; a route cannot change it',
    ],
  },
];
