import type { Spread } from './statistics.ts';
import type { CaseSummary, PeerSummary, Summary } from './summary.ts';

const MIB = 1024 * 1024;

/** Three significant digits or so: more would promise what a shared machine cannot keep. */
function figure(value: number): string {
  if (value >= 100) return value.toFixed(0);
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

const range = ({ median, least, greatest }: Spread): string =>
  least === greatest ? figure(median) : `${figure(median)} (${figure(least)}–${figure(greatest)})`;

/** Columns of text, the first to the left and the others to the right. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows)
    for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, cell.length);
  const line = (row: readonly string[]): string =>
    row
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join('  ');
  return rows.map((row) => line(row).trimEnd()).join('\n');
}

function errors(peer: PeerSummary): string {
  const parts: string[] = [];
  if (peer.socketErrors > 0) parts.push(`${peer.socketErrors} socket`);
  if (peer.badStatuses > 0) parts.push(`${peer.badStatuses} non-2xx`);
  return parts.length === 0 ? '-' : `!! ${parts.join(', ')}`;
}

/** Streams have no end to be timed by. */
const timed = (ms: number): string => (ms === 0 ? '-' : figure(ms));

function row(peer: PeerSummary, perMib: boolean): readonly string[] {
  const user = Math.round(peer.userShare * 100);
  return [
    peer.peer,
    range(peer.cpuUsPerRequest),
    ...(perMib ? [peer.cpuUsPerMib === undefined ? '-' : figure(peer.cpuUsPerMib.median)] : []),
    `${user}/${100 - user}`,
    peer.ratio === undefined ? '-' : range(peer.ratio),
    peer.requestsPerSecond.median.toFixed(0),
    timed(peer.p50Ms),
    timed(peer.p99Ms),
    (peer.peakRssBytes / MIB).toFixed(0),
    `${Math.round(peer.busyShare * 100)}%`,
    `${Math.round(peer.waitedShare * 100)}%`,
    errors(peer),
  ];
}

/** The table of one case as plain text. */
export function caseTable(summary: CaseSummary): string {
  const perMib = summary.unit !== 'MiB' && summary.peers.some((peer) => peer.cpuUsPerMib !== undefined);
  const head = [
    'peer',
    `CPU µs/${summary.unit ?? 'request'}`,
    ...(perMib ? ['µs/MiB'] : []),
    'usr/sys %',
    '× portway',
    `${summary.unit ?? 'request'}s/s`,
    'p50 ms',
    'p99 ms',
    'peak MiB',
    'busy',
    'waited',
    'errors',
  ];
  const lines = [
    `\n${summary.name}: ${summary.about}`,
    columns([head, ...summary.peers.map((peer) => row(peer, perMib))]),
  ];
  for (const { peer, growth } of summary.peers) {
    if (growth !== undefined) lines.push(`${peer}: ${range(growth)} × its cost in ${summary.comparedWith}`);
  }
  return lines.join('\n');
}

/** What the columns mean, for who reads the tables first. */
export const LEGEND = `
CPU: user + system time of the gateway's process tree; × portway: its CPU ÷ Portway's of the same round, median
(least–greatest); busy: part of its core that it used; waited: part of the time that its threads wanted the core and
others had it (more than some 10 % for nginx or HAProxy: the machine is too busy to trust small differences).`;

/** What each peer was seen to do under one case, a line each: that they are compared on the same work. */
export function workTable(summary: CaseSummary): string {
  const line = ({ peer, backends, headers }: PeerSummary): readonly string[] => [
    peer,
    `${backends} backends`,
    headers.length === 0 ? 'no headers added' : headers.join(' '),
  ];
  return `\nwork seen, and headers that reach the backend:\n${columns(summary.peers.map(line))}`;
}

function cell(peer: PeerSummary | undefined): string {
  if (peer === undefined) return '–';
  const cost = peer.cpuUsPerMib ?? peer.cpuUsPerRequest;
  const against = peer.ratio === undefined ? '' : ` (${figure(peer.ratio.median)}×)`;
  const flag = peer.socketErrors + peer.badStatuses > 0 ? ' ⚠' : '';
  return `${figure(cost.median)}${against}${flag}`;
}

/** The numbers table of the README: CPU of each peer under each case, with its ratio to Portway. */
export function readmeTable(summary: Summary): string {
  const { machine, cases } = summary;
  const names = [...new Set(cases.flatMap((each) => each.peers.map((peer) => peer.peer)))];
  const unit = (each: CaseSummary): string =>
    each.peers.some((peer) => peer.cpuUsPerMib) ? 'µs/MiB' : `µs/${each.unit ?? 'request'}`;
  const lines = [
    `| CPU of the gateway | ${cases.map((each) => `${each.name}, ${unit(each)}`).join(' | ')} |`,
    `|---|${cases.map(() => '---:|').join('')}`,
    ...names.map((name) => {
      const found = cases.map((each) => cell(each.peers.find((peer) => peer.peer === name)));
      return `| ${name} ${summary.versions[name] ?? ''} | ${found.join(' | ')} |`;
    }),
  ];
  const where = `${machine.cpu}, ${machine.cores} cores, Linux ${machine.kernel}, Node ${machine.node}`;
  const how = `medians of ${summary.rounds} interleaved rounds of ${summary.seconds} s, gateway alone on one core`;
  const about = cases.map((each) => `${each.name}: ${each.about}`).join('; ');
  const flags = lines.some((line) => line.includes('⚠')) ? ' ⚠: some requests failed.' : '';
  const note = `User and system time; in brackets the ratio to Portway in the same round.${flags}`;
  return `${lines.join('\n')}\n\n${note} ${summary.date.slice(0, 10)}, ${where}; ${how}. ${about}. Run it: \`npm run bench\`.`;
}
