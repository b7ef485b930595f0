/** What the rule files are made of. */
export type YamlValue = string | number | readonly YamlValue[] | { readonly [key: string]: YamlValue };

/** YAML in block style. A string is quoted unless it is a plain word; one of several lines becomes a literal block. */
export function yamlText(value: YamlValue, comment: string): string {
  return `# ${comment}\n${lines(value).join('\n')}\n`;
}

function lines(value: YamlValue): string[] {
  if (Array.isArray(value)) return value.flatMap(item);
  return Object.entries(value).flatMap(([key, inner]) => entry(key, inner));
}

function item(value: YamlValue): string[] {
  const inner = typeof value === 'object' ? lines(value) : [scalar(value)];
  return inner.map((line, index) => (index === 0 ? `- ${line}` : `  ${line}`));
}

function entry(key: string, value: YamlValue): string[] {
  if (typeof value === 'string' && value.includes('\n')) {
    return [`${key}: |-`, ...indented(value.split('\n'))];
  }
  if (typeof value !== 'object') return [`${key}: ${scalar(value)}`];
  const inner = lines(value);
  return inner.length === 0 ? [`${key}: []`] : [`${key}:`, ...indented(inner)];
}

function indented(text: readonly string[]): string[] {
  return text.map((line) => `  ${line}`);
}

const PLAIN = /^(?!(?:true|false|null|yes|no|on|off|y|n)$)[a-z][\w/.-]*$/i;

/** JSON's strings are YAML's double-quoted ones. */
function scalar(value: string | number): string {
  return typeof value === 'string' && !PLAIN.test(value) ? JSON.stringify(value) : `${value}`;
}
