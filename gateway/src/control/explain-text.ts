import type { BackendStatus, ExplainQuestion, Explanation } from '../data/port.ts';
import { FAILURES } from '../errors.ts';

/** An explanation for people, with line breaks. Nothing that it quotes can drive a terminal. */
export function explanationText(
  { method, host, target }: ExplainQuestion,
  source: string,
  explanation: Explanation,
): string {
  const { path, route, candidates, sentPath, service } = explanation;
  const lines = [`${method} ${target}${host === '' ? ' (for no host)' : ` for ${host}`}`, source, ''];
  if (path !== undefined && path !== pathOf(target)) lines.push(`path     read as ${path}`);
  if (route !== undefined) lines.push(`route    ${route.name}: ${reasonOf(explanation)}`);
  else if (path !== undefined) lines.push('route    none');
  for (const { route: name, reason } of candidates.filter(({ chosen }) => !chosen))
    lines.push(`         not ${name}: ${reason}`);
  if (sentPath !== undefined) lines.push(`sent     ${method} ${sentPath}`);
  if (service !== undefined) {
    const { name, balance, eligible, backends, failOpen } = service;
    lines.push(`service  ${name}, balance ${balance}, ${eligible} of ${backends.length} backends eligible`);
    if (failOpen) lines.push('         none is eligible, so all are tried (whenNoneEligible: all)');
    const width = Math.max(0, ...backends.map((backend) => backend.name.length));
    for (const backend of backends) lines.push(`  ${backendLine(backend, width)}`);
  }
  lines.push(outcome(explanation));
  return `${lines.map(printable).join('\n')}\n`;
}

function reasonOf({ candidates }: Explanation): string {
  return candidates.find(({ chosen }) => chosen)?.reason ?? 'chosen';
}

function pathOf(target: string): string {
  return target.replace(/\?.*/s, '');
}

function backendLine(backend: BackendStatus, width: number): string {
  const name = backend.name.padEnd(width);
  if (!backend.eligible) return `out  ${name}  ${backend.reason ?? backend.excludedBy ?? 'not eligible'}`;
  const { weight, effectiveWeight, pending, latencyMs } = backend;
  const share = effectiveWeight === weight ? '' : ` (now ${rounded(effectiveWeight)}: starting slowly)`;
  const latency = latencyMs === 0 ? '' : `, ${rounded(latencyMs)} ms`;
  return `in   ${name}  weight ${weight}${share}, ${pending} pending${latency}`;
}

function rounded(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function outcome({ refused, choice, service }: Explanation): string {
  if (refused === undefined)
    return `goes to  ${choice ?? (service === undefined ? 'nobody' : 'one of them')}`;
  const failure = Object.entries(FAILURES).find(([code]) => code === refused)?.[1];
  return `refused  ${refused}${failure === undefined ? '' : `: ${failure.status}, ${failure.title}`}`;
}

/** Reasons quote what backends and clients sent. */
function printable(line: string): string {
  return line.replace(/[\u0000-\u001f\u007f-\u009f]/g, '\ufffd');
}
