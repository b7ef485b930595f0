import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkCommand } from '../../src/control/config/check-command.ts';
import { EMBEDDED_CONFIG } from '../../src/control/config/embedded.ts';
import { schemaCommand } from '../../src/control/config/schema-command.ts';
import { REST } from './problem-table.ts';

function check(text: string | undefined): { readonly code: number; readonly output: string } {
  let output = '';
  const readFile = (): string => {
    if (text === undefined) throw Object.assign(new Error('not there'), { code: 'ENOENT' });
    return text;
  };
  const write = (piece: string): void => {
    output += piece;
  };
  return { code: checkCommand('gw.yaml', { readFile, env: {}, nowMs: 0, write }), output };
}

test('check sums a good config up in one line and exits 0', () => {
  assert.deepEqual(check(EMBEDDED_CONFIG), {
    code: 0,
    output: 'gw.yaml: ok: 1 listener, 4 services (8 backends), 4 routes\n',
  });
});

test('check prints warnings and still exits 0', () => {
  assert.deepEqual(check(`admin: { address: ":9901" }\n${REST}`), {
    code: 0,
    output:
      'gw.yaml:1:19: warning: address: :9901 is not loopback, so writes are refused until admin.token is set\n' +
      'gw.yaml: ok: 1 listener, 1 service (1 backend), 1 route\n',
  });
});

test('check prints every problem, in the order of the file, and exits 1', () => {
  const { code, output } = check(`redis: 1\nzebra: 1\n${REST}`);
  assert.equal(code, 1);
  assert.deepEqual(
    output.split('\n').map((line) => line.split(': ', 1)[0]),
    ['gw.yaml:1:8', 'gw.yaml:2:1', ''],
  );
});

test('check says when the file cannot be read and exits 1', () => {
  assert.deepEqual(check(undefined), { code: 1, output: 'gw.yaml: cannot be read (ENOENT)\n' });
});

test('schema prints JSON that ends with a line break', () => {
  let output = '';
  const code = schemaCommand({ write: (piece) => (output += piece) });
  assert.equal(code, 0);
  assert.ok(output.endsWith('}\n'));
  assert.equal(JSON.parse(output).title, 'Portway configuration');
});
