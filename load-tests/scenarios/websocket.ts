// WebSocket: chat sessions start at a steady rate, talk, hear themselves and leave; 10 sessions per second for 30 s.
import { summaryOf } from '../report/handle-summary.ts';
import { websocketThresholds } from '../thresholds.ts';
import { ChatSessions } from '../traffic/chat.ts';
import { readPositive, readTarget } from '../traffic/environment.ts';
import { duration, sharedOptions } from '../traffic/options.ts';

const rate = readPositive(__ENV, 'RATE', 10);
const seconds = readPositive(__ENV, 'DURATION_SECONDS', 30);

export const options = sharedOptions(
  'websocket',
  {
    chat: {
      executor: 'constant-arrival-rate',
      exec: 'chat',
      rate,
      timeUnit: '1s',
      duration: duration(seconds),
      // a session lasts about a second
      preAllocatedVUs: Math.ceil(rate * 3),
      maxVUs: Math.ceil(rate * 20),
    },
  },
  websocketThresholds(),
);
export const handleSummary = summaryOf('websocket', __ENV);

const sessions = new ChatSessions(readTarget(__ENV).baseUrl);

export function chat(): void {
  sessions.start();
}
