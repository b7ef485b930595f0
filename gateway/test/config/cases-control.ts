import type { ProblemCase } from './problem-table.ts';
import { REST } from './problem-table.ts';

const redis = (url: string): string => `redis: { url: "${url}" }\n${REST}`;

/** The top-level blocks that are for the control plane: admin, redis, drain. */
export const CONTROL_CASES: readonly ProblemCase[] = [
  {
    name: 'blocks of the control plane that only switch on',
    text: `admin: {}\nredis: { url: "redis://h" }\ndrain: {}\n${REST}`,
    said: [],
  },
  {
    name: 'blocks of the control plane that are switched off',
    text: `admin: false\nredis: false\n${REST}`,
    said: [],
  },
  {
    name: 'a drain that is switched off',
    text: `drain: false\n${REST}`,
    said: ['1:8: drain: expected a block of keys, got false'],
  },
  {
    name: 'a drain without end',
    text: `drain: { delay: 5, timeout: 0 }\n${REST}`,
    said: [
      '1:17: delay: 5 is not a duration; did you mean 5s?',
      '1:29: timeout: 0 is too short; at least 1ms',
    ],
  },
  {
    name: 'drain under another name',
    text: `shutdown: { timeout: 5s }\n${REST}`,
    said: ['1:1: unknown key shutdown in the config; did you mean drain?'],
  },
  {
    name: 'a token that is empty',
    text: `admin: { token: "" }\n${REST}`,
    said: ['1:17: token: is empty'],
  },
  {
    name: 'a token of the wrong kind',
    text: `admin: { token: [hunter2] }\n${REST}`,
    said: ['1:17: token: expected text, got a list'],
  },
  {
    name: 'an admin API for everybody, without a token',
    text: `admin: { address: ":9901" }\n${REST}`,
    said: ['1:19: warning: address: :9901 is not loopback, so writes are refused until admin.token is set'],
  },
  {
    name: 'an admin API on an address of the network, with an empty token',
    text: `admin: { address: 10.0.0.1:9901, token: "\${TOKEN:-}" }\n${REST}`,
    said: [
      '1:19: warning: address: 10.0.0.1:9901 is not loopback, so writes are refused until admin.token is set',
    ],
  },
  {
    name: 'an admin API for everybody, with a token',
    text: `admin: { address: ":9901", token: hunter2 }\n${REST}`,
    said: [],
  },
  {
    name: 'an admin API on another loopback address',
    text: `admin: { address: "127.9.9.9:1" }\n${REST}`,
    said: [],
  },
  {
    name: 'an admin API on IPv6 loopback',
    text: `admin: { address: "[0::1]:1" }\n${REST}`,
    said: [],
  },
  {
    name: 'the admin address on a listener',
    text: `listeners: [{ address: ":9901" }]\nadmin: {}\n${REST}`,
    said: ['2:8: 127.0.0.1:9901 overlaps :9901, which is taken on line 1'],
  },
  {
    name: 'the very address of a listener for admin',
    text: `listeners: [{ address: "127.0.0.1:80" }]\nadmin: { address: "localhost:80" }\n${REST}`,
    said: ['2:19: localhost:80 is taken on line 1'],
  },
  {
    name: 'a listener where admin is by default',
    text: `listeners: [{ address: ":9901" }]\n${REST}`,
    said: [
      '1:24: :9901 overlaps 127.0.0.1:9901, which is taken by the admin API, as admin is left out; give it another address, or admin: false',
    ],
  },
  {
    name: 'a listener where admin would be, were it not off',
    text: `listeners: [{ address: ":9901" }]\nadmin: false\n${REST}`,
    said: [],
  },
  {
    name: 'admin where the listener is by default',
    text: `admin: { address: "127.0.0.1:8080" }\n${REST}`,
    said: [
      '1:19: 127.0.0.1:8080 overlaps 0.0.0.0:8080, which is taken by the listener that is there by default',
    ],
  },
  {
    name: 'nothing of overlaps when admin is broken',
    text: `listeners: [{ address: ":9901" }]\nadmin: { port: 1 }\n${REST}`,
    said: ['2:10: unknown key port in admin; it knows address, token'],
  },
  {
    name: 'a backend that is the admin API',
    text: REST.replace('//h:1', '//localhost:9901'),
    said: ['1:29: warning: localhost:9901 is this gateway itself, at 127.0.0.1:9901'],
  },
  {
    name: 'a Redis without its block',
    text: `redis: redis://:hunter2@h\n${REST}`,
    said: ['1:8: redis: expected a block of keys or false, got a value (hidden)'],
  },
  {
    name: 'a Redis without its URL',
    text: `redis: { fleet: a }\n${REST}`,
    said: ['1:8: redis: url is missing'],
  },
  { name: 'a Redis whose URL is empty', text: redis(''), said: [] },
  {
    name: 'a fleet that is no name',
    text: `redis: { url: "redis://h", fleet: a b }\n${REST}`,
    said: ['1:35: fleet: "a b" is not a name of 1 to 64 letters, digits, "-", "_" and "."'],
  },
  {
    name: 'a Redis of the wrong scheme',
    text: redis('http://:hunter2@h'),
    said: [
      '1:15: url: the URL of Redis starts with redis://, rediss:// (TLS), redis+sentinel:// or redis+cluster://',
    ],
  },
  {
    name: 'a Redis with its scheme’s parts in another order',
    text: redis('redis+tls://h'),
    said: [
      '1:15: url: the URL of Redis starts with redis://, rediss:// (TLS), redis+sentinel:// or redis+cluster://',
    ],
  },
  {
    name: 'a Redis without a host',
    text: redis('redis://:hunter2@'),
    said: ['1:15: url: the host in the URL of Redis is missing'],
  },
  {
    name: 'a Redis with a host that is none',
    text: redis('redis://-h'),
    said: ['1:15: url: the host in the URL of Redis is neither a host name nor an IP address'],
  },
  {
    name: 'a Redis with a port that is none',
    text: redis('redis://h:65536'),
    said: ['1:15: url: the host in the URL of Redis has a port that is not 1 to 65535'],
  },
  {
    name: 'a Redis whose password holds a colon only',
    text: redis('redis://u:hunter2'),
    said: ['1:15: url: the host in the URL of Redis is not host:port'],
  },
  {
    name: 'a Redis with a user but no password',
    text: redis('redis://hunter2@h'),
    said: ['1:15: url: the URL of Redis has a user without a password; write :password@ or user:password@'],
  },
  {
    name: 'a Redis whose password holds a slash',
    text: redis('redis://:hun/ter2@h'),
    said: [
      '1:15: url: in the URL of Redis, write a / in the user or password as %2F, a ? as %3F, a # as %23, an @ as %40',
    ],
  },
  {
    name: 'a Redis whose password holds a percent sign',
    text: redis('redis://:hunter2%@h'),
    said: ['1:15: url: in the URL of Redis, write a % in the user or password as %25'],
  },
  {
    name: 'a Redis with a database that is none',
    text: redis('redis://h/main'),
    said: ['1:15: url: the path in the URL of Redis is a database number, such as /0'],
  },
  {
    name: 'a Redis with a query',
    text: redis('redis://h/0?family=6'),
    said: ['1:15: url: the URL of Redis has no query or fragment'],
  },
  {
    name: 'several servers as if they were one',
    text: redis('redis://h:1,h:2'),
    said: [
      '1:15: url: the URL of Redis names several servers; that is redis+sentinel://…/MASTER or redis+cluster://…',
    ],
  },
  {
    name: 'sentinels without a master',
    text: redis('redis+sentinel://h:1,h:2'),
    said: [
      '1:15: url: the URL of Redis sentinels ends in the name of the master, such as /mymaster or /mymaster/0',
    ],
  },
  {
    name: 'a sentinel among others that is none',
    text: redis('redis+sentinel://h:1,,h:3/m'),
    said: ['1:15: url: host 2 in the URL of Redis is missing'],
  },
  {
    name: 'a cluster with a database',
    text: redis('rediss+cluster://h:1,h:2/0'),
    said: ['1:15: url: a Redis cluster has no databases: its URL ends after the hosts'],
  },
];
