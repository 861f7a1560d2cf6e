import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider, type ReadableSpan } from '@opentelemetry/sdk-trace';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Refusal } from '@isthmus/kernel';
import type { Bus, Message } from '@isthmus/ports';
import { currentTraceparent, inService, inSpan, inStep, isTraced, spanBetween, underTraceparent } from './trace.js';
import { tracedBus } from './traced-bus.js';

const exporter = new InMemorySpanExporter();
const CLICK = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

beforeEach(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }));
});
afterEach(() => {
  trace.disable();
  context.disable();
  exporter.reset();
});

const spans = (): Record<string, ReadableSpan> => Object.fromEntries(exporter.getFinishedSpans().map((span) => [span.name, span]));

/** A bus of one topic, as plain as can be: what is sent is handled at once. */
const plainBus = (): Bus & { readonly sent: Message[] } => {
  let handler: ((message: Message) => Promise<Message | void>) | undefined;
  const sent: Message[] = [];
  return {
    sent,
    publish: async (message) => {
      sent.push(message);
      await handler?.(message);
    },
    request: async (message) => {
      sent.push(message);
      return (await handler?.(message)) as Message;
    },
    subscribe: async (_topic, _options, handle) => {
      handler = handle;
      return { close: async () => undefined };
    },
    close: async () => undefined,
  };
};

describe('spans', () => {
  it('hang under a traceparent from elsewhere, and nest', async () => {
    await inService('gateway-router', () =>
      inSpan('gateway.join', { 'isthmus.site': 'nyc' }, async () => inSpan('gateway.pin', {}, () => 1), { parent: CLICK }),
    );
    const { 'gateway.join': join, 'gateway.pin': pin } = spans();
    expect(join?.spanContext().traceId).toBe('0af7651916cd43dd8448eb211c80319c');
    expect(join?.parentSpanContext?.spanId).toBe('b7ad6b7169203331');
    expect(pin?.parentSpanContext?.spanId).toBe(join?.spanContext().spanId);
    expect(join?.instrumentationScope.name).toBe('gateway-router');
  });

  it('end when what they are about ends, and say how: a refusal is no error', async () => {
    await expect(inSpan('a', {}, async () => Promise.reject(new Refusal('room.full', 'No seat.')))).rejects.toThrow('No seat.');
    expect(() =>
      inSpan('b', {}, () => {
        throw new Error('broke');
      }),
    ).toThrow('broke');
    expect(spans()['a']).toMatchObject({ attributes: { 'isthmus.refusal': 'room.full' }, status: { code: 0 } });
    expect(spans()['b']).toMatchObject({ status: { code: 2, message: 'broke' } });
  });

  it('can be told afterwards, as a browser does', () => {
    // Real times: OpenTelemetry takes what is less than the age of the process for an age, and not for a time since 1970.
    const then = 1_700_000_000_000;
    const parent = spanBetween('client.join', then, then + 250, CLICK, { 'isthmus.site': 'nyc' });
    spanBetween('client.media', then + 100, then + 200, parent);
    const { 'client.join': join, 'client.media': media } = spans();
    expect([join?.startTime, join?.endTime]).toEqual([
      [1_700_000_000, 0],
      [1_700_000_000, 250_000_000],
    ]);
    expect(media?.parentSpanContext?.spanId).toBe(join?.spanContext().spanId);
  });

  it('are not begun from a traceparent that is none', () => {
    inSpan('a', {}, () => undefined, { parent: '00-00000000000000000000000000000000-0000000000000000-01' });
    expect(spans()['a']?.parentSpanContext).toBeUndefined();
  });

  it('of steps are there within a trace, and begin none', () => {
    expect(inStep('a', {}, () => 1)).toBe(1);
    underTraceparent(CLICK, () => inStep('b', {}, () => inStep('c', {}, () => undefined)));
    inStep('d', {}, () => undefined, { parent: CLICK });
    expect(exporter.getFinishedSpans().map(({ name }) => name)).toEqual(['c', 'b', 'd']);
    expect(spans()['d']?.parentSpanContext?.spanId).toBe('b7ad6b7169203331');
  });

  it('cost nothing and change nothing when nobody collects them', async () => {
    trace.disable();
    context.disable();
    expect(await inSpan('a', {}, async () => 42, { parent: CLICK })).toBe(42);
    expect(currentTraceparent()).toBeUndefined();
  });
});

describe('the traced bus', () => {
  it('carries a trace through a request, a span at each end, each of its own service', async () => {
    const bus = plainBus();
    await tracedBus(bus, 'conference-brain').subscribe('t', { group: 'g' }, async (message) => {
      inSpan('brain.decide', {}, () => undefined);
      return message;
    });
    await inService('gateway-router', () =>
      inSpan('gateway.join', {}, () => tracedBus(bus, 'gateway-router').request({ topic: 't', key: 'k', value: 1 }, 100), {
        parent: CLICK,
      }),
    );
    const names = exporter.getFinishedSpans().map((span) => `${span.instrumentationScope.name}: ${span.name}`);
    expect(names).toEqual([
      'conference-brain: brain.decide',
      'conference-brain: process t',
      'gateway-router: request t',
      'gateway-router: gateway.join',
    ]);
    expect(new Set(exporter.getFinishedSpans().map((span) => span.spanContext().traceId)).size).toBe(1);
    expect(spans()['process t']?.parentSpanContext?.spanId).toBe(spans()['request t']?.spanContext().spanId);
  });

  it('begins no trace for a message that belongs to none', async () => {
    const bus = plainBus();
    await tracedBus(bus, 'b').subscribe('t', { group: 'g' }, async () => undefined);
    await tracedBus(bus, 'a').publish({ topic: 't', key: 'k', value: 1 });
    expect(bus.sent).toEqual([{ topic: 't', key: 'k', value: 1 }]);
    expect(exporter.getFinishedSpans()).toEqual([]);
  });

  it('hands over a message that belongs to no trace outside of one, although the bus does it in the middle of one', async () => {
    const bus = plainBus();
    const traced: boolean[] = [];
    await tracedBus(bus, 'conference-brain').subscribe('t', { group: 'g' }, async () => void traced.push(isTraced()));
    await inSpan('media.attach', {}, () => bus.publish({ topic: 't', key: 'k', value: 1 }));
    expect(traced).toEqual([false]);
  });

  it('wraps once, however often it is asked to', () => {
    const traced = tracedBus(plainBus(), 'a');
    expect(tracedBus(traced, 'a')).toBe(traced);
  });
});
