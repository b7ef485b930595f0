import { counted, duration } from './words.js';

/**
 * @typedef {{ word: string, level: 'good' | 'trial' | 'bad' | 'off', reason: string }} State
 */

/**
 * What a backend is doing, in a word and a sentence.
 * @param {any} backend
 * @returns {State}
 */
export function stateOf(backend) {
  const { excludedBy, reason = '', admin, pending, breaker, weight, effectiveWeight } = backend;
  if (admin === 'draining') {
    const left = pending > 0 ? `${counted(pending, 'request')} left` : 'no request left: it can be stopped';
    return { word: pending > 0 ? 'Draining' : 'Drained', level: 'off', reason: `by the operator; ${left}` };
  }
  if (admin === 'disabled') {
    const left = pending > 0 ? `; ${counted(pending, 'request')} left` : '';
    return { word: 'Disabled', level: 'off', reason: `by the operator, not probed${left}` };
  }
  if (excludedBy !== undefined) return { word: 'Out', level: 'bad', reason };
  if (breaker !== 'closed')
    return { word: 'On trial', level: 'trial', reason: `breaker ${breaker}: a few requests are let through` };
  if (effectiveWeight < weight) {
    const share = Math.round((effectiveWeight / weight) * 100);
    return { word: 'Starting', level: 'trial', reason: `slow start: ${share} % of its weight` };
  }
  return { word: 'In', level: 'good', reason: '' };
}

/** Of traffic, news when it is older. */
const RECENT_MS = 10_000;

/** What else is known of it. @param {any} backend */
export function detailsOf({ health, healthReason, breaker, lastSuccessAgoMs }) {
  const seen = healthReason === undefined || health === 'healthy' ? '' : ` (${healthReason})`;
  const probes =
    health === 'unchecked'
      ? 'not probed'
      : health === 'unknown'
        ? 'not probed yet'
        : `probes ${health}${seen}`;
  const facts = [`breaker ${breaker}`, probes];
  if (lastSuccessAgoMs === undefined) facts.push('no success yet');
  else if (lastSuccessAgoMs > RECENT_MS) facts.push(`last success ${duration(lastSuccessAgoMs)} ago`);
  return facts.join(' · ');
}
