import { neverSmuggled, post, SMUGGLED } from './attacks.ts';

// Linhart et al. 2005, Kettle 2019: one reader goes by the length, the other by the chunks.
neverSmuggled('CL.TE and TE.CL', [
  {
    name: 'CL.TE',
    bytes: post(
      [`Content-Length: ${5 + SMUGGLED.length}`, 'Transfer-Encoding: chunked'],
      `0\r\n\r\n${SMUGGLED}`,
    ),
    code: 'bad_transfer_encoding',
  },
  {
    name: 'TE.CL',
    bytes: post(
      ['Content-Length: 4', 'Transfer-Encoding: chunked'],
      `${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`,
    ),
    code: 'bad_transfer_encoding',
  },
  {
    name: 'in HTTP/1.0',
    bytes: `POST / HTTP/1.0\r\nContent-Length: ${5 + SMUGGLED.length}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
    code: 'bad_transfer_encoding',
  },
  {
    name: 'with length 0',
    bytes: post(['Content-Length: 0', 'Transfer-Encoding: chunked'], `0\r\n\r\n${SMUGGLED}`),
    code: 'bad_transfer_encoding',
  },
]);
