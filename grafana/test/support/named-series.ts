/** A series that an expression names, and the labels that it is chosen by. */
export interface NamedSeries {
  readonly name: string;
  readonly labels: readonly string[];
}

/** What is a word of PromQL and no series, as far as our queries use it. */
const WORDS: ReadonlySet<string> = new Set(
  'sum min max count and or unless offset rate increase changes absent vector scalar histogram_quantile label_replace min_over_time max_over_time time'.split(
    ' ',
  ),
);

/** Every series in an expression. A reader of our own queries, not a parser: Prometheus is asked whether they parse. */
export function namedSeries(expr: string): readonly NamedSeries[] {
  const bare = expr
    .replaceAll(/\[[^\]]*\]|\boffset \w+/g, '')
    .replaceAll(/\b(by|ignoring)\s*\([^)]*\)/g, '')
    // strings outside of selectors are the arguments of functions
    .replaceAll(/, "[^"]*"/g, (argument, at: number, whole: string) =>
      isInBraces(whole, at) ? argument : '',
    );
  const found = bare.matchAll(/(?<![\w"])([A-Za-z_][\w:]*)(\{[^}]*\})?/g);
  return [...found]
    .filter(([, name = '']) => !WORDS.has(name))
    .map(([, name = '', selector = '']) => ({ name, labels: matchedLabels(selector) }));
}

function isInBraces(text: string, at: number): boolean {
  return text.lastIndexOf('{', at) > text.lastIndexOf('}', at);
}

function matchedLabels(selector: string): string[] {
  return [...selector.matchAll(/(\w+)\s*(?:=~|!~|!=|=)\s*"/g)].map(([, label = '']) => label);
}
