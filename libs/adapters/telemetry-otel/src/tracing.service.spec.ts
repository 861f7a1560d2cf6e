import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { context, trace } from '@opentelemetry/api';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TOLD_SPAN_ID } from '@isthmus/ports';
import { startTracing } from './tracing.js';

interface Exported {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly { key: string; value: { stringValue?: string } }[] };
    readonly scopeSpans: readonly { readonly spans: readonly { name: string; traceId: string; spanId: string; parentSpanId?: string }[] }[];
  }[];
}

let collector: Server;
let endpoint: string;
const received: { path: string; auth: string | undefined; body: Exported }[] = [];

beforeEach(async () => {
  received.length = 0;
  collector = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      received.push({
        path: request.url ?? '',
        auth: request.headers.authorization,
        body: JSON.parse(Buffer.concat(chunks).toString()) as Exported,
      });
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
});
afterEach(async () => {
  vi.unstubAllEnvs();
  trace.disable();
  context.disable();
  collector.closeAllConnections();
  await new Promise((resolve) => collector.close(resolve));
});

/** Spans that arrived, as `service: span`, with the site they say they are of. */
const arrived = () =>
  received.flatMap(({ body }) =>
    body.resourceSpans.flatMap(({ resource, scopeSpans }) => {
      const of = (key: string) => resource.attributes.find((attribute) => attribute.key === key)?.value.stringValue;
      return scopeSpans.flatMap(({ spans }) =>
        spans.map((span) => ({ ...span, service: of('service.name'), site: of('isthmus.site'), namespace: of('service.namespace') })),
      );
    }),
  );

describe('exporting a trace', () => {
  it('tells the services of one process apart, in one trace', async () => {
    vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', endpoint);
    vi.stubEnv('OTEL_EXPORTER_OTLP_HEADERS', 'authorization=Bearer%20abc');
    const tracing = startTracing('isthmus', { attributes: { 'isthmus.site': 'nyc' } });
    trace.getTracer('gateway-router').startActiveSpan('gateway.join', (join) => {
      trace.getTracer('conference-brain').startActiveSpan('brain.join', (decide) => decide.end());
      join.end();
    });
    await tracing.shutdown();
    await tracing.shutdown();
    expect(
      arrived()
        .map(({ service, name, site, namespace }) => [service, name, site, namespace])
        .sort(),
    ).toEqual([
      ['conference-brain', 'brain.join', 'nyc', 'isthmus'],
      ['gateway-router', 'gateway.join', 'nyc', 'isthmus'],
    ]);
    expect(new Set(arrived().map(({ traceId }) => traceId)).size).toBe(1);
    expect(received[0]).toMatchObject({ path: '/v1/traces', auth: 'Bearer abc' });
  });

  it('exports what is told for a browser under the id that the browser gave it, as the root', async () => {
    vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', endpoint);
    const tracing = startTracing('isthmus');
    const browser = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1, isRemote: true };
    const below = trace.setSpanContext(context.active(), browser);
    trace.getTracer('gateway-router').startSpan('gateway.join', {}, below).end();
    trace
      .getTracer('meet')
      .startSpan('meet.join', { attributes: { [TOLD_SPAN_ID]: browser.spanId } }, below)
      .end();
    await tracing.shutdown();
    const spans = Object.fromEntries(arrived().map((span) => [span.name, span]));
    expect(spans['meet.join']).toMatchObject({ traceId: browser.traceId, spanId: browser.spanId, service: 'meet' });
    expect(spans['meet.join']?.parentSpanId || undefined).toBeUndefined();
    expect(spans['gateway.join']).toMatchObject({ traceId: browser.traceId, parentSpanId: browser.spanId });
    expect(JSON.stringify(received)).not.toContain(TOLD_SPAN_ID);
  });

  it('is off, and free, when no standard variable says where to', async () => {
    vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', '');
    vi.stubEnv('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', '');
    const tracing = startTracing('gateway-router');
    expect(tracing.on).toBe(false);
    expect(trace.getTracer('x').startSpan('y').isRecording()).toBe(false);
    await tracing.shutdown();
  });

  it('keeps to the sampler it is told', async () => {
    vi.stubEnv('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', `${endpoint}/v1/traces`);
    vi.stubEnv('OTEL_TRACES_SAMPLER', 'always_off');
    const tracing = startTracing('gateway-router');
    trace.getTracer('gateway-router').startSpan('gateway.join').end();
    await tracing.shutdown();
    expect(received).toEqual([]);
  });

  it('stops in time although the collector is away', async () => {
    vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', 'http://127.0.0.1:9');
    const tracing = startTracing('gateway-router');
    trace.getTracer('gateway-router').startSpan('gateway.join').end();
    const before = performance.now();
    await tracing.shutdown();
    expect(performance.now() - before).toBeLessThan(4_000);
  });
});
