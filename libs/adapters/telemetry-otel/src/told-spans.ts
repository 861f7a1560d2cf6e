import { TOLD_SPAN_ID } from '@isthmus/ports';
import type { Attributes, SpanContext } from '@opentelemetry/api';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';

/** Exports spans that are told for somebody else (a browser) under the id they have there, so that what hangs below them finds its parent. */
export const withToldSpans = (exporter: SpanExporter): SpanExporter => ({
  export: (spans, done) => exporter.export(spans.map(asTold), done),
  shutdown: () => exporter.shutdown(),
  ...(exporter.forceFlush ? { forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve() } : {}),
});

const asTold = (span: ReadableSpan): ReadableSpan => {
  const { [TOLD_SPAN_ID]: spanId, ...attributes } = span.attributes;
  if (typeof spanId !== 'string') return span;
  return rootLike(span, attributes, { ...span.spanContext(), spanId });
};

/** Field by field: an SDK span has getters, which a spread would lose. And no parent: its maker began the trace with it. */
const rootLike = (span: ReadableSpan, attributes: Attributes, context: SpanContext): ReadableSpan => ({
  name: span.name,
  kind: span.kind,
  spanContext: () => context,
  startTime: span.startTime,
  endTime: span.endTime,
  status: span.status,
  attributes,
  links: span.links,
  events: span.events,
  duration: span.duration,
  ended: span.ended,
  resource: span.resource,
  instrumentationScope: span.instrumentationScope,
  droppedAttributesCount: span.droppedAttributesCount,
  droppedEventsCount: span.droppedEventsCount,
  droppedLinksCount: span.droppedLinksCount,
});
