import { runService } from '../../shared/src/run-service.ts';
import { buildChatApp } from './chat-app.ts';

/** Well below the 60 s of silence after which proxies and NATs usually drop a connection. */
const PING_INTERVAL_MS = 20_000;

await runService({
  service: 'chat',
  defaultPort: 3003,
  build: (options) => buildChatApp({ ...options, pingIntervalMs: PING_INTERVAL_MS }),
});
