import { context, trace, type Tracer, type TracerProvider as TracerProviderApi } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { defaultResource, detectResources, envDetector, resourceFromAttributes, type Resource } from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider, type Sampler, type SpanProcessor } from '@opentelemetry/sdk-trace';
import { samplerFrom } from './sampler.js';
import { withToldSpans } from './told-spans.js';

export interface Tracing {
  /** Whether anything is collected at all. */
  readonly on: boolean;
  /** Sends what is still held back. Takes at most 3 s; quiet when nobody listens, and the second time. */
  shutdown(): Promise<void>;
}

export interface TracingOptions {
  /** Of the process as a whole, beside the service's name: `{ 'isthmus.site': 'nyc' }`. */
  readonly attributes?: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

const OFF: Tracing = { on: false, shutdown: async () => undefined };
const SHUTDOWN_MS = 3_000;

/**
 * Exports this process's spans by OTLP over HTTP if OpenTelemetry's standard variables say where (`OTEL_EXPORTER_OTLP_ENDPOINT`
 * or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`; headers, timeout, compression, sampler and resource attributes by theirs). Otherwise spans
 * cost nothing. Call it once, before services start.
 *
 * Several services may share the process: a tracer's name is its service, and each gets a resource of its own, so that a
 * trace looks the same whether they run together or apart. `OTEL_SERVICE_NAME` overrides them all, as the specification has it.
 */
export const startTracing = (serviceName: string, options: TracingOptions = {}): Tracing => {
  const { attributes = {}, environment = process.env } = options;
  const wanted = environment['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] || environment['OTEL_EXPORTER_OTLP_ENDPOINT'];
  if (!wanted || environment['OTEL_SDK_DISABLED'] === 'true' || environment['OTEL_TRACES_EXPORTER'] === 'none') return OFF;

  const processor = new BatchSpanProcessor({
    exporter: withToldSpans(new OTLPTraceExporter()),
    scheduledDelayMillis: Number(environment['OTEL_BSP_SCHEDULE_DELAY']) || 1_000,
  });
  const fromEnvironment = detectResources({ detectors: [envDetector] });
  const resourceOf = (service: string): Resource =>
    defaultResource()
      .merge(resourceFromAttributes({ 'service.namespace': 'isthmus', 'service.name': service, 'service.version': '0.1.0', ...attributes }))
      .merge(fromEnvironment);
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(providerPerService(resourceOf, processor, samplerFrom(environment), serviceName));

  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    trace.disable();
    context.disable();
    const tooLong = new Promise<void>((resolve) => setTimeout(resolve, SHUTDOWN_MS).unref());
    // A collector that is away is no reason not to stop.
    await Promise.race([processor.shutdown().catch(() => undefined), tooLong]);
  };
  return { on: true, shutdown: () => (stopping ??= stop()) };
};

/** Spans of all services go the same way out; only what they say of their service differs. */
const providerPerService = (
  resourceOf: (service: string) => Resource,
  processor: SpanProcessor,
  sampler: Sampler,
  otherwise: string,
): TracerProviderApi => {
  const providers = new Map<string, TracerProvider>();
  return {
    getTracer: (name, version, options): Tracer => {
      const service = name === 'isthmus' ? otherwise : name;
      const provider =
        providers.get(service) ?? new TracerProvider({ resource: resourceOf(service), sampler, spanProcessors: [processor] });
      providers.set(service, provider);
      return provider.getTracer(name, version, options);
    },
  };
};
