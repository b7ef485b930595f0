const START = '<!-- bench:start -->';
const END = '<!-- bench:end -->';

/** The text with what stands between the bench markers replaced; undefined when it has no such pair of markers. */
export function withNumbers(readme: string, table: string): string | undefined {
  const start = readme.indexOf(START);
  const end = readme.indexOf(END, start + START.length);
  if (start === -1 || end === -1) return undefined;
  return `${readme.slice(0, start + START.length)}\n${table}\n${readme.slice(end)}`;
}
