import { neverSmuggled, SMUGGLED } from './attacks.ts';

// Kettle 2022, "Browser-Powered Desync Attacks": the backend ignores the body of a request that needs none. What we can do is to send
// no bytes behind it that were not declared, and to answer each request with its own answer.
neverSmuggled(
  'a body is sent on with its length, also of methods that seldom have one',
  ['GET', 'HEAD', 'DELETE', 'OPTIONS'].map((method) => ({
    name: method,
    bytes: `${method} /open HTTP/1.1\r\nHost: a\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`,
    executes: [`${method} /open`],
  })),
);
