import { type Attack, neverSmuggled, post, SMUGGLED } from './attacks.ts';

// Hansson 2025, "Funky chunks": readers differ on the ends of chunk lines and of chunk data (TERM.EXT, EXT.TERM, TERM.SPILL, SPILL.TERM and more).
const size = SMUGGLED.length.toString(16);
const chunked = (name: string, body: string): Attack => ({
  name,
  bytes: post(['Transfer-Encoding: chunked'], body),
  code: 'bad_chunk',
});

neverSmuggled('chunk lines and data that end oddly', [
  chunked('TERM.EXT: a bare LF in an extension', `2;\nxx\r\n${size}\r\n0\r\n\r\n${SMUGGLED}\r\n0\r\n\r\n`),
  chunked('EXT.TERM: a bare LF ends the chunk line', `${size};\n${SMUGGLED}\r\n0\r\n\r\n`),
  chunked('a bare CR in an extension', `2;\rxx\r\n${size}\r\n0\r\n\r\n${SMUGGLED}\r\n0\r\n\r\n`),
  chunked('TERM.SPILL: two more bytes after the data', `5\r\nAAAAAXX0\r\n\r\n${SMUGGLED}0\r\n\r\n`),
  chunked('SPILL.TERM: data without its CRLF', `5\r\nAAAAA${size}\r\n${SMUGGLED}\r\n0\r\n\r\n`),
  chunked('ONE.TWO: one byte for the end of data', `5\r\nAAAAA\n${size}\r\n${SMUGGLED}\r\n0\r\n\r\n`),
  chunked('data ended by LF LF', `5\r\nAAAAA\n\n0\r\n\r\n${SMUGGLED}`),
  chunked('data ended by CR X', `5\r\nAAAAA\rX0\r\n\r\n${SMUGGLED}`),
  chunked('ZERO.TWO: nothing for the end of the last chunk', `0${SMUGGLED}`),
  chunked('the end of the body by a bare LF', `0\r\n\n${SMUGGLED}`),
  chunked('the last chunk ended by a bare LF', `0\n\r\n${SMUGGLED}`),
  chunked(
    'a bare LF in a quoted extension',
    `2;a="\n";\r\nxx\r\n${size}\r\n0\r\n\r\n${SMUGGLED}\r\n0\r\n\r\n`,
  ),
]);

neverSmuggled('what well-formed extensions hide goes no further', [
  {
    name: 'an extension that spells a request',
    bytes: post(['Transfer-Encoding: chunked'], '2;a="GET /smuggled HTTP/1.1"\r\nxx\r\n0\r\n\r\n'),
    executes: ['POST /open'],
  },
]);
