import { BURN_RATE_ALERTS } from './burn-rate-alerts.ts';
import type { AlertRule } from './rule-file.ts';
import { STATE_ALERTS } from './state-alerts.ts';

export const ALERT_GROUP = 'portway-alerts';

export const ALERT_RULES: readonly AlertRule[] = [...BURN_RATE_ALERTS, ...STATE_ALERTS];
