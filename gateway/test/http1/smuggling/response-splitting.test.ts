import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stage } from '../../support/stage.ts';

// Klein 2004, and response queue poisoning (Kettle 2021): bytes behind an answer become the answer to someone else.
test('an answer that a backend smuggles behind another one reaches nobody', async (t) => {
  const evil = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil';
  const { client, backend } = await stage(t, (connection, data) => {
    const path = /^GET (\S+)/.exec(data)?.[1] ?? '';
    const good = `HTTP/1.1 200 OK\r\nContent-Length: ${path.length}\r\n\r\n${path}`;
    connection.socket.write(path === '/split' ? good + evil : good);
  });
  const [attacker, victim] = [await client(), await client()];
  for (let turn = 0; turn < 5; turn++) {
    attacker.received = '';
    victim.received = '';
    await attacker.send('GET /split HTTP/1.1\r\nHost: a\r\n\r\n').contains('\r\n\r\n/split');
    const answered = await victim
      .send(`GET /victim${turn} HTTP/1.1\r\nHost: a\r\n\r\n`)
      .contains(`/victim${turn}`);
    assert.doesNotMatch(`${answered}${attacker.received}`, /evil/);
  }
  assert.equal(backend.connections.length, 6);
});

test('pipelined requests get their own answers only', async (t) => {
  const { client } = await stage(t, (connection, data) => {
    const path = /^GET (\S+)/.exec(data)?.[1] ?? '';
    const body = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil';
    connection.socket.write(
      `HTTP/1.1 200 OK\r\nX-Path: ${path}\r\nContent-Length: 0\r\n\r\n${path === '/1' ? body : ''}`,
    );
  });
  const browser = await client();
  browser.send('GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  const answered = await browser.end();
  assert.deepEqual(answered.match(/X-Path: \S+/g), ['X-Path: /1', 'X-Path: /2']);
  assert.doesNotMatch(answered, /evil/);
});
