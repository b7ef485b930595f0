import { neverSmuggled, post, SMUGGLED } from './attacks.ts';

// Kettle 2019, "HTTP Desync Attacks": one of two readers is kept from seeing Transfer-Encoding.
const obfuscated: readonly (readonly [lines: readonly string[], code: string])[] = [
  [['Transfer-Encoding: xchunked'], 'bad_transfer_encoding'],
  [['Transfer-Encoding : chunked'], 'bad_field'],
  [['Transfer-Encoding\t: chunked'], 'bad_field'],
  [['Transfer-Encoding: chunked', 'Transfer-Encoding: x'], 'bad_transfer_encoding'],
  [['Transfer-Encoding: x', 'Transfer-Encoding: chunked'], 'bad_transfer_encoding'],
  [['Transfer-Encoding:\x0bchunked'], 'bad_field'],
  [['Transfer-Encoding: \x00chunked'], 'bad_field'],
  [['Transfer-Encoding: chunked\x0c'], 'bad_field'],
  [[' Transfer-Encoding: chunked'], 'bad_field'],
  [['X: x', ' Transfer-Encoding: chunked'], 'bad_field'],
  [['X: x\nTransfer-Encoding: chunked'], 'bad_field'],
  [['X: x\rTransfer-Encoding: chunked'], 'bad_field'],
  [['Transfer-Encoding', ' : chunked'], 'bad_field'],
  [['Transfer-Encoding: "chunked"'], 'bad_transfer_encoding'],
  [["Transfer-Encoding: 'chunked'"], 'bad_transfer_encoding'],
  [['Transfer-Encoding: chunked;x=y'], 'bad_transfer_encoding'],
  [['Transfer-Encoding: identity, chunked'], 'unknown_transfer_coding'],
  [['Transfer-Encoding: chunked, identity'], 'bad_transfer_encoding'],
  [['\x00Transfer-Encoding: chunked'], 'bad_field'],
  [['Foo', 'Transfer-Encoding: chunked'], 'bad_field'],
];

neverSmuggled(
  'a Transfer-Encoding that only some would read',
  obfuscated.flatMap(([lines, code]) => {
    const status = code === 'unknown_transfer_coding' ? 501 : 400;
    const name = JSON.stringify(lines.join('|'));
    return [
      { name, bytes: post(lines, `0\r\n\r\n${SMUGGLED}`), code, status },
      {
        name: `${name}, with a length`,
        bytes: post([`Content-Length: ${5 + SMUGGLED.length}`, ...lines], `0\r\n\r\n${SMUGGLED}`),
        code: code === 'bad_field' ? code : 'bad_transfer_encoding',
      },
    ];
  }),
);

// a name that only looks alike is no Transfer-Encoding to us, and goes no further
neverSmuggled('Transfer_Encoding', [
  {
    name: 'is dropped',
    bytes: post(['Content-Length: 5', 'Transfer_Encoding: chunked'], '0\r\n\r\n'),
    executes: ['POST /open'],
  },
]);
