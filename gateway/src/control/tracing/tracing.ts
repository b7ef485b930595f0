import { hostname } from 'node:os';
import type { ExchangeReport, TraceReport } from '../../data/port.ts';
import type { Clock, Random } from '../../time.ts';
import { QueryRedaction } from '../access-log/redact-query.ts';
import { isSampled } from '../access-log/sampling.ts';
import type { TracingPlan } from '../control-plan.ts';
import type { Log } from '../log.ts';
import { Attributes } from './attributes.ts';
import { OtlpPost } from './otlp-post.ts';
import { SpanExporter } from './span-exporter.ts';
import { spansOf } from './spans.ts';

const TIMEOUT_MS = 10_000;

export interface TracingDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly version: string;
}

/** Decides which requests are traced, and sends their spans to a collector. */
export class Tracing {
  readonly plan: TracingPlan;
  readonly #query: QueryRedaction;
  readonly #clock: Clock;
  readonly #exporter: SpanExporter;

  constructor(plan: TracingPlan, { clock, random, log, version }: TracingDeps) {
    this.plan = plan;
    this.#query = new QueryRedaction(plan.redact);
    this.#clock = clock;
    this.#exporter = new SpanExporter({
      post: new OtlpPost(plan.url, plan.headers, TIMEOUT_MS),
      clock,
      random,
      log,
      place: new URL(plan.url).origin,
      envelope: envelope(plan.serviceName, version, random),
    });
  }

  get dropped(): number {
    return this.#exporter.dropped;
  }

  /** As the caller decided, where there is one that did (OpenTelemetry's parent-based sampling). */
  samples(traceId: string, parent: boolean | undefined): boolean {
    return parent ?? isSampled(traceId, this.plan.sampleRatio);
  }

  ended(report: ExchangeReport, trace: TraceReport): void {
    const spans = spansOf(report, trace, this.#clock.wallNow(), this.#query);
    for (const span of spans) this.#exporter.add(span);
  }

  close(): Promise<void> {
    return this.#exporter.close();
  }
}

/** ExportTraceServiceRequest around the spans of one batch. */
function envelope(
  serviceName: string,
  version: string,
  random: Random,
): { readonly before: string; readonly after: string } {
  const resource = new Attributes()
    .text('service.name', serviceName)
    .text('service.version', version)
    .text('service.instance.id', instanceId(random))
    .text('host.name', hostname())
    .int('process.pid', process.pid)
    .text('telemetry.sdk.language', 'nodejs')
    .text('telemetry.sdk.name', 'portway')
    .text('telemetry.sdk.version', version);
  const scope = JSON.stringify({ name: 'portway', version });
  return {
    before: `{"resourceSpans":[{"resource":{"attributes":${resource}},"scopeSpans":[{"scope":${scope},"spans":[`,
    after: ']}]}]}',
  };
}

function instanceId(random: Random): string {
  return Math.floor(random() * 2 ** 48)
    .toString(16)
    .padStart(12, '0');
}
