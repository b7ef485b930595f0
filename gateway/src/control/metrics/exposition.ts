import { collectDefaultMetrics, type Metric, Registry, type RegistryContentType } from 'prom-client';
import { collected, type Look, type MetricsSource } from './collect.ts';
import type { Sample } from './series.ts';

/** So many samples are written in one go: about half a millisecond, which is how long a request may have to wait for it. */
const SAMPLES_AT_ONCE = 250;

/** One metric with its samples. */
interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly samples: readonly Sample[];
}

/** Writes the metrics for Prometheus, in pieces between which requests are served. */
export class Exposition {
  readonly #source: MetricsSource;
  /** Node's own: event loop, memory, garbage collection, CPU. */
  readonly #node = new Registry();

  constructor(source: MetricsSource) {
    this.#source = source;
    collectDefaultMetrics({ register: this.#node });
  }

  /** @param accept the Accept field of the scrape: OpenMetrics, with exemplars, for those who ask for it */
  async write(accept: string | undefined): Promise<{ readonly contentType: string; readonly body: string }> {
    const open = /application\/openmetrics-text/.test(accept ?? '');
    const type = open ? Registry.OPENMETRICS_CONTENT_TYPE : Registry.PROMETHEUS_CONTENT_TYPE;
    const parts: string[] = [];
    for (const family of await this.#families()) {
      for (const piece of piecesOf(family, open)) {
        parts.push(await written(piece, type));
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    if (open) parts.push('# EOF');
    return { contentType: type, body: `${parts.join('\n')}\n` };
  }

  async #families(): Promise<readonly Family[]> {
    const source = this.#source;
    const look: Look = { status: source.status(), counts: source.counts(), source };
    const own = collected().map(({ metric, collect }) => ({ ...metric, samples: collect(look) }));
    const node = await this.#node.getMetricsAsJSON();
    return [
      ...own,
      // its types know neither that the type is a word here nor that values carry the names of buckets
      ...node.map(({ name, help, type, values }) => ({
        name,
        help,
        type: String(type),
        samples: values as unknown as readonly Sample[],
      })),
    ];
  }
}

interface Piece extends Family {
  readonly first: boolean;
}

function* piecesOf({ name, help, type, samples }: Family, open: boolean): Generator<Piece> {
  // OpenMetrics: the family of a counter lacks the suffix that its samples have
  const family = open && type === 'counter' ? name.replace(/_total$/, '') : name;
  for (let at = 0; at === 0 || at < samples.length; at += SAMPLES_AT_ONCE)
    yield { name: family, help, type, samples: samples.slice(at, at + SAMPLES_AT_ONCE), first: at === 0 };
}

/** By prom-client, which escapes what has to be. */
async function written(
  { name, help, type, samples, first }: Piece,
  contentType: RegistryContentType,
): Promise<string> {
  const registry = new Registry();
  registry.setContentType(contentType as never);
  const metric = { name, get: async () => ({ name, help, type, values: samples }) };
  // it writes whatever has a `get`; its types know only its own metrics
  registry.registerMetric(metric as unknown as Metric);
  const text = await registry.getSingleMetricAsString(name);
  // HELP and TYPE only once
  return first ? text : text.split('\n').slice(2).join('\n');
}
