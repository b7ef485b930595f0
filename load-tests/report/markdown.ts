import type { Latency, Report, Row, TimelineRow } from './report.ts';

/** The report for people. */
export function toMarkdown(report: Report): string {
  const sections = [
    `# ${report.scenario}: ${report.passed ? 'passed' : 'FAILED'}`,
    totals(report),
    section('Thresholds', thresholds(report)),
    section('By route', latencies(report.routes, 'route')),
    section('Chat', chat(report)),
    section('What users saw during each fault', latencies(report.faults, 'fault')),
    section('Faults, in seconds since the load started', timeline(report.timeline)),
    section('Checks', checks(report)),
  ];
  return `${sections.filter((text) => text !== '').join('\n\n')}\n`;
}

function section(title: string, content: string): string {
  return content === '' ? '' : `## ${title}\n\n${content}`;
}

function totals(report: Report): string {
  const rows = [
    ['time', `${report.seconds.toFixed(1)} s`],
    ...(report.requests === 0 ? [] : requests(report)),
    ['iterations', `${report.iterations}`],
    ['dropped iterations', `${report.droppedIterations}`],
    ['virtual users, at most', `${report.maxVirtualUsers}`],
  ];
  return table(['', ''], rows);
}

function requests({ requests, perSecond, failed, latency }: Report): string[][] {
  return [
    ['requests', `${requests} (${perSecond.toFixed(1)} per second)`],
    ['failed', `${failed}`],
    ...(latency === undefined ? [] : [['p50 / p95 / p99 / max', `${times(latency).join(' / ')} ms`]]),
  ];
}

function thresholds(report: Report): string {
  const rows = report.thresholds.map(({ metric, rule, ok, value }) => [
    ok ? 'yes' : '**NO**',
    `\`${metric}\``,
    `\`${rule}\``,
    value === undefined ? '' : trimmed(value),
  ]);
  // what failed is what one looks for
  rows.sort((a, b) => Number(a[0] === 'yes') - Number(b[0] === 'yes'));
  return table(['held', 'of', 'rule', 'was'], rows);
}

function latencies(rows: readonly Row[], what: string): string {
  return table(
    [what, 'requests', 'failed', 'p50 ms', 'p95 ms', 'p99 ms', 'max ms'],
    rows.map(({ name, failed, latency }) => [name, `${latency.count}`, `${failed}`, ...times(latency)]),
  );
}

function chat({ chat }: Report): string {
  if (chat === undefined) return '';
  const of = (latency: Latency | undefined) =>
    latency === undefined ? ['0', '', '', '', ''] : [`${latency.count}`, ...times(latency)];
  return [
    `${chat.sessions} sessions, ${chat.failed} failed.`,
    table(
      ['', 'times', 'p50 ms', 'p95 ms', 'p99 ms', 'max ms'],
      [
        ['connecting', ...of(chat.connecting)],
        ['own words heard', ...of(chat.echo)],
      ],
    ),
  ].join('\n\n');
}

function timeline(rows: readonly TimelineRow[]): string {
  return table(
    ['fault', 'backend', 'start', 'out of rotation', 'restored', 'back in rotation'],
    rows.map(({ fault, backend, startS, wasOut, noticedS, endS, backS }) => [
      fault,
      backend,
      startS.toFixed(1),
      wasOut ? 'already' : after(noticedS, startS, 'never'),
      endS === undefined ? 'NOT' : endS.toFixed(1),
      noticedS === undefined && !wasOut ? '' : after(backS, endS ?? startS, 'not in time'),
    ]),
  );
}

/** `+0.4`: so long after. */
function after(atS: number | undefined, sinceS: number, otherwise: string): string {
  return atS === undefined ? otherwise : `+${Math.max(0, atS - sinceS).toFixed(1)}`;
}

function checks(report: Report): string {
  return table(
    ['check', 'held', 'did not'],
    report.checks.map(({ name, passes, fails }) => [name, `${passes}`, fails === 0 ? '0' : `**${fails}**`]),
  );
}

function times({ p50, p95, p99, max }: Latency): string[] {
  return [p50, p95, p99, max].map((ms) => ms.toFixed(1));
}

function trimmed(value: number): string {
  return `${Math.round(value * 1_000) / 1_000}`;
}

/** Cells are padded, so that it reads well in a terminal too; nothing when there are no rows. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const widths = head.map((title, column) =>
    Math.max(3, title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}
