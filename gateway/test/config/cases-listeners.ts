import type { ProblemCase } from './problem-table.ts';
import { REST, withListener } from './problem-table.ts';

/** Listeners. */
export const LISTENER_CASES: readonly ProblemCase[] = [
  {
    name: 'a listener without an address',
    text: `listeners: [{ maxConnections: 1 }]\n${REST}`,
    said: ['1:13: listeners[0]: address is missing'],
  },
  {
    name: 'no listener in the list',
    text: `listeners: []\n${REST}`,
    said: ['1:12: listeners: at least one is needed'],
  },
  {
    name: 'a bare port',
    text: `listeners: [{ address: 8080 }]\n${REST}`,
    said: ['1:24: address: 8080 is not an address such as 0.0.0.0:8080; did you mean :8080?'],
  },
  {
    name: 'a port too high',
    text: `listeners: [{ address: "0.0.0.0:70000" }]\n${REST}`,
    said: ['1:24: address: 0.0.0.0:70000: the port 70000 is not 0 to 65535'],
  },
  {
    name: 'an address without a port',
    text: `listeners: [{ address: 127.0.0.1 }]\n${REST}`,
    said: ['1:24: address: 127.0.0.1 is not an address such as 0.0.0.0:8080; did you mean 127.0.0.1:8080?'],
  },
  {
    name: 'an address with a star',
    text: `listeners: [{ address: "*:80" }]\n${REST}`,
    said: ['1:24: address: *:80 is not an address such as 0.0.0.0:8080; did you mean :80?'],
  },
  {
    name: 'an IPv6 address without brackets',
    text: `listeners: [{ address: "::1:8080" }]\n${REST}`,
    said: ['1:24: address: ::1:8080 is not an address such as 0.0.0.0:8080; did you mean [::1]:8080?'],
  },
  {
    name: 'a host name to listen on',
    text: `listeners: [{ address: "example.com:80" }]\n${REST}`,
    said: ['1:24: address: example.com:80: a listener has an IP address, and example.com is none'],
  },
  {
    name: 'a URL to listen on',
    text: `listeners: [{ address: "http://0.0.0.0:80" }]\n${REST}`,
    said: [
      '1:24: address: http://0.0.0.0:80 is not an address such as 0.0.0.0:8080; did you mean 0.0.0.0:80?',
    ],
  },
  {
    name: 'an address twice',
    text: `listeners:\n  - address: "[::1]:80"\n  - address: "[0:0::1]:80"\n${REST}`,
    said: ['3:14: [0:0::1]:80 is taken on line 2'],
  },
  {
    name: 'an address within another',
    text: `listeners:\n  - address: 0.0.0.0:80\n  - address: 127.0.0.1:80\n${REST}`,
    said: ['3:14: 127.0.0.1:80 overlaps 0.0.0.0:80, which is taken on line 2'],
  },
  {
    name: 'port 0 twice, which is two ports',
    text: `listeners:\n  - address: 127.0.0.1:0\n  - address: 127.0.0.1:0\n${REST}`,
    said: [],
  },
  {
    name: 'trusted proxies that are none',
    text: withListener('trustedProxies: [lopback, 10.0.0.1/8, 1.2.3.4/33, 2001:db8::1/32]'),
    said: [
      '1:55: trustedProxies[0]: lopback is not an IP address, a block such as 10.0.0.0/8, loopback or private; did you mean loopback?',
      '1:64: trustedProxies[1]: 10.0.0.1/8 has bits set past its prefix; did you mean 10.0.0.0/8?',
      '1:76: trustedProxies[2]: 1.2.3.4/33 has a prefix length that is not 0 to 32',
      '1:88: trustedProxies[3]: 2001:db8::1/32 has bits set past its prefix; did you mean 2001:db8::/32?',
    ],
  },
  {
    name: 'everybody trusted',
    text: withListener('trustedProxies: [0.0.0.0/0]'),
    said: ['1:55: warning: everybody is trusted: any client can forge its address'],
  },
  {
    name: 'a number of connections that is none',
    text: withListener('maxConnections: many'),
    said: ['1:54: maxConnections: expected a whole number from 1 to 10000000, got "many"'],
  },
  {
    name: 'a number of connections out of range',
    text: withListener('maxConnections: 0'),
    said: ['1:54: maxConnections: 0 is not 1 to 10000000'],
  },
  {
    name: 'a misspelled timeout of a listener',
    text: withListener('timeouts: { header: 5s, keep_alive: 1m }'),
    said: [
      '1:50: unknown key header in timeouts; did you mean head?',
      '1:62: unknown key keep_alive in timeouts; did you mean keepAlive?',
    ],
  },
  {
    name: 'a target that no head can hold',
    text: withListener('limits: { head: 8KiB, target: 16KiB }'),
    said: ['1:38: limits: a target of 16KiB does not fit into a head of 8KiB'],
  },
  {
    name: 'a head too small and too large',
    text: withListener('limits: { head: 10B, target: 2MiB }'),
    said: ['1:54: head: 10B is too small; at least 1KiB', '1:67: target: 2MiB is too large; at most 1MiB'],
  },
];
