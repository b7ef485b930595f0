import type { ProblemCase } from './problem-table.ts';
import { REST, withService } from './problem-table.ts';

/** YAML, interpolation and the top level. */
export const FILE_CASES: readonly ProblemCase[] = [
  { name: 'an empty file', text: '', said: ['1:1: the config: expected a block of keys, got nothing'] },
  {
    name: 'a file of comments',
    text: '# nothing\n',
    said: ['1:1: the config: expected a block of keys, got nothing'],
  },
  {
    name: 'a list instead of a map',
    text: '- a\n',
    said: ['1:1: the config: expected a block of keys, got a list'],
  },
  {
    name: 'no services and no routes',
    text: 'listeners: [{ address: ":80" }]\n',
    said: ['1:1: the config: services is missing', '1:1: the config: routes is missing'],
  },
  {
    name: 'empty services and routes',
    text: 'services: {}\nroutes: []\n',
    said: ['1:11: services: at least one is needed', '2:9: routes: at least one is needed'],
  },
  {
    name: 'an unclosed flow map',
    text: 'services: { a\nroutes: []\n',
    said: ['2:1: YAML: flow map in block collection must be sufficiently indented and end with a }'],
  },
  {
    name: 'a stray bracket',
    text: `${REST}]\n`,
    said: ['3:1: YAML: unexpected flow-seq-end token in YAML stream'],
  },
  {
    name: 'only the first of the errors that a stray token causes',
    text: 'a: }\nb: [x]\nc: {y: z}\n',
    said: ['1:4: YAML: unexpected flow-map-end token in YAML stream'],
  },
  {
    name: 'a tab as indentation',
    text: 'services:\n\ta: 1\n',
    said: ['2:1: YAML: tabs are not allowed as indentation'],
  },
  {
    name: 'an interpolation that needs quotes',
    text: `x-a: { b: \${C} }\n${REST}`,
    said: [`1:12: YAML: quote a value with \${…} inside { } or [ ], as in { url: "http://\${HOST}:80" }`],
  },
  {
    name: 'a second document',
    text: `${REST}---\na: 1\n`,
    said: ['3:1: a second document starts here; a config is one document'],
  },
  {
    name: 'a duplicate key',
    text: `${REST}routes: []\n`,
    said: ['3:1: routes is here twice; it stands on line 2 already'],
  },
  {
    name: 'a duplicate service',
    text: 'services:\n  a: { backends: [http://h:1] }\n  a: { backends: [http://h:2] }\nroutes: [{ path: /, service: a }]\n',
    said: ['3:3: a is here twice; it stands on line 2 already'],
  },
  {
    name: 'a merge key',
    text: `x-a: &a { pool: {} }\n<<: *a\n${REST}`,
    said: ['2:1: merge keys (<<) are not understood; put what services share under defaults:'],
  },
  { name: 'an unknown tag', text: `x-a: !secret b\n${REST}`, said: ['1:6: YAML: unresolved tag'] },
  {
    name: 'an unknown alias',
    text: `x-a: *b\n${REST}`,
    said: ['1:6: this alias names no anchor before it; quote a value that starts with *'],
  },
  {
    name: 'an anchor that is defined twice',
    text: `x-a: &b 1\nx-c: &b 2\n${REST}`,
    said: ['2:9: this anchor has the name of an earlier one; quote a value that starts with &'],
  },
  {
    name: 'an alias that holds itself',
    text: `x-a: &b [*b]\n${REST}`,
    said: ['1:10: this alias holds itself'],
  },
  { name: 'a key that is no text', text: `? [a]\n: b\n${REST}`, said: ['1:3: a key must be plain text'] },
  {
    name: 'a missing variable',
    text: withService(`balance: \${BALANCE}`),
    said: [
      `4:14: the environment variable BALANCE is not set; set it, or give a default: \${BALANCE:-default}`,
    ],
  },
  {
    name: 'two missing variables in one value',
    text: `listeners:\n  - address: "\${HOST}:\${PORT}"\n${REST}`,
    said: [
      `2:15: the environment variable HOST is not set; set it, or give a default: \${HOST:-default}`,
      `2:23: the environment variable PORT is not set; set it, or give a default: \${PORT:-default}`,
    ],
  },
  {
    name: 'an unclosed interpolation',
    text: withService(`balance: \${BALANCE`),
    said: [`4:14: \${ is never closed by }; write $\${ for a literal \${`],
  },
  {
    name: 'an interpolation of another kind',
    text: withService(`balance: \${BALANCE:?none}`),
    said: [`4:14: only \${NAME} and \${NAME:-default} are understood; write $\${ for a literal \${`],
  },
  {
    name: 'a nested default',
    text: withService(`balance: \${A:-\${B}}`),
    said: [`4:14: the default of A holds another \${…}; defaults cannot be nested`],
  },
  {
    name: 'an unknown key at the top',
    text: `service: {}\n${REST}`,
    said: ['1:1: unknown key service in the config; did you mean services?'],
  },
  {
    name: 'a word of another gateway',
    text: `upstreams: {}\n${REST}`,
    said: ['1:1: unknown key upstreams in the config; did you mean services?'],
  },
  {
    name: 'a key like nothing known',
    text: `zebra: 1\n${REST}`,
    said: [
      '1:1: unknown key zebra in the config; it knows listeners, admin, redis, drain, log, accessLog, tracing, defaults, services, routes',
    ],
  },
  {
    name: 'a key that every JavaScript object has',
    text: `constructor: 1\n__proto__: 1\n${REST}`,
    said: [
      '1:1: unknown key constructor in the config; it knows listeners, admin, redis, drain, log, accessLog, tracing, defaults, services, routes',
      '2:1: unknown key __proto__ in the config; it knows listeners, admin, redis, drain, log, accessLog, tracing, defaults, services, routes',
    ],
  },
  {
    name: 'a block without a value',
    text: `defaults:\n${REST}`,
    said: ['1:10: defaults: expected a block of keys, got nothing'],
  },
];
