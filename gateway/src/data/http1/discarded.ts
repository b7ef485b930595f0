import { type ClientSide, Exchange, type Line } from '../exchange.ts';

const NOBODY: ClientSide = {
  facts: { peerIp: '', trusted: false, proto: 'http', clientIp: () => '' },
  speaksChunked: true,
  bytesOut: 0,
  interim() {},
  startResponse() {},
  endResponse() {},
  breakResponse() {},
  flush: () => false,
  pauseBody() {},
  resumeBody() {},
  startTunnel() {
    throw new Error('an answer that nobody waits for became a tunnel');
  },
  bodyText() {},
  bodyBytes() {},
};

const NOWHERE: Line = {
  connected() {},
  responseHead() {},
  responseEnd() {},
  attemptFailed() {},
  clientLeft() {},
};

/** Stands in for an exchange whose answer is not wanted any more, so that its connection can be read to the end and kept. */
export function discarded(exchange: Exchange): Exchange {
  const { method, path, startedMs } = exchange;
  const stand = new Exchange(NOBODY, NOWHERE, startedMs, { method, path, fields: { text: '' } });
  stand.route = exchange.route;
  stand.bodyComplete = true;
  return stand;
}
