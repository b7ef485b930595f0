import assert from 'node:assert/strict';

export interface ReadSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly exemplar: string | undefined;
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*?)\})? (\S+)(?: # (\{.*\} \S+ \S+))?$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/gy;

/** Reads text exposition strictly: a line that is neither a comment nor a sample fails the test. */
export function readExposition(text: string): readonly ReadSample[] {
  assert.ok(text.endsWith('\n'));
  const samples: ReadSample[] = [];
  for (const line of text.slice(0, -1).split('\n')) {
    if (/^# (HELP|TYPE) \S+ \S/.test(line) || line === '# EOF') continue;
    const match = LINE.exec(line);
    assert.ok(match !== null, `not a sample: ${line}`);
    const [, name = '', labels = '', value = '', exemplar] = match;
    assert.ok(!Number.isNaN(Number(value)) || value === 'Nan', line);
    samples.push({ name, labels: readLabels(labels, line), value: Number(value), exemplar });
  }
  return samples;
}

function readLabels(text: string, line: string): Record<string, string> {
  const labels: Record<string, string> = {};
  let at = 0;
  for (const match of text.matchAll(LABEL)) {
    assert.equal(match.index, at, line);
    at += match[0].length;
    labels[match[1] ?? ''] = match[2] ?? '';
  }
  assert.equal(at, text.length, line);
  return labels;
}

/** The value of the one sample with that name and at least those labels. */
export function sampleValue(
  samples: readonly ReadSample[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number {
  const found = samples.filter(
    (sample) =>
      sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
  );
  assert.equal(found.length, 1, `${name} ${JSON.stringify(labels)}: ${found.length} samples`);
  return found[0]?.value ?? Number.NaN;
}
