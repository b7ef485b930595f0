import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { interpolate } from '../../src/control/config/interpolate.ts';
import { complaints, load, planOf } from './loading.ts';
import { REST, withBackends, withService } from './problem-table.ts';

test('variables are replaced, defaults stand in for unset and empty ones, and $${ is a literal ${', () => {
  const env = { A: 'x', EMPTY: '' };
  for (const [text, expected] of [
    [`\${A}`, 'x'],
    [`<\${A}\${A}>`, '<xx>'],
    [`\${B:-b}`, 'b'],
    [`\${EMPTY:-b}`, 'b'],
    [`\${EMPTY}`, ''],
    [`\${B:-}`, ''],
    [`\${A:-b}`, 'x'],
    [`$\${A}`, `\${A}`],
    [`$$\${A}`, `$\${A}`],
    [`\${B:-a:-b c}`, 'a:-b c'],
  ] as const) {
    const result = interpolate(text, env);
    assert.ok(result.kind === 'replaced', text);
    assert.equal(result.text, expected, text);
  }
  assert.deepEqual(interpolate('$A costs $5', env), { kind: 'untouched' });
});

test('what a variable holds is not interpolated again', () => {
  const result = interpolate(`\${A}`, { A: `\${B}`, B: 'b' });
  assert.deepEqual(result, { kind: 'replaced', text: `\${B}`, whole: true });
});

test('names that every object has are not variables', () => {
  assert.equal(interpolate(`\${constructor}`, {}).kind, 'failed');
  assert.equal(interpolate(`\${toString:-x}`, {}).kind, 'replaced');
});

test('a variable alone may be a number, a boolean or a duration, quoted or not', () => {
  const text = `services: { a: { backends: [{ url: "http://h:1", weight: "\${W}" }], retry: { nonIdempotent: "\${N}" } } }
routes:
  - path: /
    service: a
    timeouts:
      head: \${T}
`;
  const plan = planOf(text, { W: '7', N: 'true', T: '5s' });
  assert.equal(plan.services[0]?.backends[0]?.weight, 7);
  assert.equal(plan.services[0]?.retry?.nonIdempotent, true);
  assert.equal(plan.routes[0]?.timeouts.headMs, 5000);
});

test('text from a variable stays text where text is wanted', () => {
  const plan = planOf(
    `services: { "1": { backends: [http://h:1] } }\nroutes:\n  - path: /\n    service: \${S}\n`,
    {
      S: '1',
    },
  );
  assert.equal(plan.routes[0]?.service, '1');
});

test('a variable cannot add structure', () => {
  const loaded = load(withService(`balance: \${B}`), { B: 'p2c\n    hash: { path: true }' });
  assert.deepEqual(complaints(loaded), [
    '4:14: balance: "p2c\\n    hash: { path: true }" is not one of p2c, round-robin, least-pending, random, hash',
  ]);
});

test('an empty token is as good as none, but an empty host of a route is an error, for it would match every host', () => {
  const admin = load(`admin:\n  token: \${T:-}\n${REST}`);
  assert.ok(admin.ok);
  assert.deepEqual(admin.config.admin, {});
  const host = load(
    `services: { a: { backends: [http://h:1] } }\nroutes:\n  - path: /\n    service: a\n    host: \${H:-}\n`,
  );
  assert.deepEqual(complaints(host), ['5:11: host: a route for every host has no host at all; leave it out']);
});

test('a missing variable is reported where its ${ stands, escaped ones counted', () => {
  const loaded = load(withBackends(`["http://$\${A}:\${B}"]`));
  assert.deepEqual(complaints(loaded), [
    `3:30: the environment variable B is not set; set it, or give a default: \${B:-default}`,
  ]);
});

test('any text is either untouched, replaced or faulted, and text without ${ stays as it is', () => {
  const part = fc.constantFrom('$', '{', '}', 'A', ':-', `\${`, 'x', `\${A}`, `$\${`);
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
      const text = parts.join('');
      const result = interpolate(text, { A: 'a' });
      assert.equal(result.kind === 'untouched', !text.includes(`\${`));
      if (result.kind === 'failed')
        assert.ok(result.faults.every(({ occurrence }) => occurrence < text.split(`\${`).length - 1));
    }),
  );
});
