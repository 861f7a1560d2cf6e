import { AsyncLocalStorage } from 'node:async_hooks';
import {
  context,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Attributes,
  type Context,
  type Span,
  type Tracer,
} from '@opentelemetry/api';
import { Refusal } from '@isthmus/kernel';
import { TOLD_SPAN_ID } from '@isthmus/ports';

/**
 * Spans for whoever does something in the course of a join, without knowing who collects them: only the OpenTelemetry API is
 * used, so all of this is free until a process starts an SDK (adapter telemetry-otel). Names are `area.verb`; attributes
 * `isthmus.*`; never a display name, a PIN or a token.
 */
const SERVICE = new AsyncLocalStorage<string>();
/** W3C Trace Context §3.2: version 00, trace id, parent id, flags. */
const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

export interface SpanOptions {
  /** A `traceparent` from elsewhere to hang the span under, instead of the span that is active here. */
  readonly parent?: string | undefined;
  readonly kind?: SpanKind | undefined;
}

/** Runs `fn` as part of `service`: spans and log lines begun in it carry that service's name, even where several services share a process. */
export const inService = <T>(service: string, fn: () => T): T => SERVICE.run(service, fn);

export const currentService = (): string | undefined => SERVICE.getStore();

/** Runs `fn` in a span that ends with it. A Refusal is an answer and no error; everything else that is thrown marks the span as failed. */
export const inSpan = <T>(name: string, attributes: Attributes, fn: (span: Span) => T, options: SpanOptions = {}): T => {
  const within = contextUnder(options.parent);
  const span = tracer().startSpan(name, { attributes, ...(options.kind === undefined ? {} : { kind: options.kind }) }, within);
  const failed = (error: unknown): never => {
    markFailed(span, error);
    span.end();
    throw error;
  };
  try {
    const result = context.with(trace.setSpan(within, span), () => fn(span));
    if (!isPromise(result)) {
      span.end();
      return result;
    }
    return result.then((value: unknown) => {
      span.end();
      return value;
    }, failed) as T;
  } catch (error) {
    return failed(error);
  }
};

/**
 * A span for a step of something that is being traced; without a trace, here or in `options.parent`, only runs `fn`. For what
 * also happens by itself: reports, floors and reconnects every second would drown the joins.
 */
export const inStep = <T>(name: string, attributes: Attributes, fn: () => T, options: SpanOptions = {}): T =>
  trace.getSpanContext(contextUnder(options.parent)) ? inSpan(name, attributes, fn, options) : fn();

/** A span that is over already: what a browser measured and told us. Times in ms since 1970. */
export const spanBetween = (
  name: string,
  startMs: number,
  endMs: number,
  parent: string | undefined,
  attributes: Attributes = {},
): string | undefined => {
  const within = contextUnder(parent);
  const span = tracer().startSpan(name, { attributes, startTime: startMs }, within);
  span.end(endMs);
  return traceparentOf(trace.setSpan(within, span));
};

/**
 * The very span that a `traceparent` from elsewhere names, told for whoever made it and cannot export (a browser): so the spans
 * below it have a parent. Times in ms since 1970.
 */
export const toldSpan = (name: string, startMs: number, endMs: number, traceparent: string, attributes: Attributes = {}): void => {
  const [, , spanId] = TRACEPARENT.exec(traceparent) ?? [];
  if (spanId) spanBetween(name, startMs, endMs, traceparent, { ...attributes, [TOLD_SPAN_ID]: spanId });
};

/** The active span as a `traceparent`, for a message to somewhere else. Undefined when nobody traces. */
export const currentTraceparent = (): string | undefined => traceparentOf(context.active());

/** Runs `fn` under a `traceparent` from elsewhere without a span of its own. */
export const underTraceparent = <T>(traceparent: string | undefined, fn: () => T): T => context.with(contextUnder(traceparent), fn);

/** Runs `fn` outside of any trace, wherever it is called from. */
export const untraced = <T>(fn: () => T): T => context.with(trace.deleteSpan(context.active()), fn);

/** Whether anything here belongs to a trace; nobody starts a trace just because a message passed. */
export const isTraced = (): boolean => trace.getSpanContext(context.active()) !== undefined;

const traceparentOf = (within: Context): string | undefined => {
  const span = trace.getSpanContext(within);
  return span && trace.isSpanContextValid(span)
    ? `00-${span.traceId}-${span.spanId}-${span.traceFlags.toString(16).padStart(2, '0')}`
    : undefined;
};

const contextUnder = (traceparent: string | undefined): Context => {
  const [, traceId, spanId, flags] = TRACEPARENT.exec(traceparent ?? '') ?? [];
  if (!traceId || !spanId || !flags) return context.active();
  const spanContext = { traceId, spanId, traceFlags: parseInt(flags, 16) & TraceFlags.SAMPLED, isRemote: true };
  return trace.isSpanContextValid(spanContext) ? trace.setSpanContext(context.active(), spanContext) : context.active();
};

const tracer = (): Tracer => trace.getTracer(currentService() ?? 'isthmus');

const markFailed = (span: Span, error: unknown): void => {
  if (error instanceof Refusal) {
    span.setAttribute('isthmus.refusal', error.code);
    return;
  }
  span.recordException(error instanceof Error ? error : String(error));
  span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.message : String(error) });
};

const isPromise = (value: unknown): value is Promise<unknown> => typeof (value as { then?: unknown } | null)?.then === 'function';
