import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { eventually, personaOf, startBot, type Bot } from '@isthmus/bots';
import { TOPICS } from '@isthmus/protocol';
import { Attendee, startBrowser } from '../testing/attendee.js';
import { startDemoUnderTest, type DemoUnderTest } from '../testing/running-demo.js';
import { startTraceCollector, type CollectedSpan, type TraceCollector } from '../testing/trace-collector.js';

/** What an operator sees in a tracing system when somebody joins: two sites, a real browser, spans by OTLP from every process. */
let collector: TraceCollector;
let demo: DemoUnderTest;
let browser: Browser;
let bot: Bot;
let attendee: Attendee;

beforeAll(async () => {
  collector = await startTraceCollector();
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', collector.url);
  [demo, browser] = await Promise.all([startDemoUnderTest({ port: 24_000, sites: 2 }), startBrowser()]);
  bot = await startBot({ gatewayUrl: demo.gateway('lon'), alias: 'demo', persona: personaOf(1), hdKbps: 300 });
}, 180_000);
afterAll(async () => {
  await attendee?.leave();
  await browser?.close();
  await bot?.leave();
  await demo?.close();
  vi.unstubAllEnvs();
  await collector?.close();
});

const clicks = () => collector.spans.filter(({ name }) => name === 'meet.join');
const traceOf = (click: CollectedSpan) => collector.spans.filter(({ traceId }) => traceId === click.traceId);
const named = (spans: readonly CollectedSpan[], name: string) => spans.filter((span) => span.name === name);

describe('a join in a browser', () => {
  it('is one trace from the click to the first frame, through every service that it touches', async () => {
    attendee = await Attendee.at(browser, `${demo.plan.sites[0]!.meetUrl}/r/demo`);
    await attendee.enter('Ana');
    const expected = {
      'meet: meet.join': 1,
      'meet: meet.until first-frame': 1,
      'gateway-router: gateway.join': 1,
      [`gateway-router: request ${TOPICS.commands}`]: 1,
      [`conference-brain: process ${TOPICS.commands}`]: 1,
      'conference-brain: brain.decide': 1,
      'conference-brain: brain.append': 1,
      // Tells the certificate, so that neither transport has to be connected apart (ADR 0020).
      'media-node: media.attach': 1,
      'media-node: media.connect': 0,
      // Microphone and camera.
      'media-node: media.produce': 2,
      'media-node: media.ready': 1,
    };
    await eventually(() => {
      const [click] = clicks();
      if (!click) return ['no browser has told of its click'];
      const told = Map.groupBy(traceOf(click), ({ service, name }) => `${service}: ${name}`);
      return Object.entries(expected).flatMap(([span, times]) => {
        const seen = told.get(span)?.length ?? 0;
        return seen === times ? [] : [`${span} is there ${seen} times, not ${times}`];
      });
    }, 30_000);
    expect(clicks()).toHaveLength(1);
    const [click] = clicks() as [CollectedSpan];
    const spans = traceOf(click);
    expect(new Set(spans.map(({ service }) => service))).toEqual(new Set(['meet', 'gateway-router', 'conference-brain', 'media-node']));
    expect(new Set(spans.map(({ site }) => site))).toEqual(new Set(['nyc']));
  });

  it('has a parent within the trace for every span but the click, and all of it is after the click', () => {
    const [click] = clicks() as [CollectedSpan];
    const spans = traceOf(click);
    const ids = new Set(spans.map(({ spanId }) => spanId));
    expect(ids.size).toBe(spans.length);
    const roots = spans.filter(({ parentSpanId }) => parentSpanId === undefined || !ids.has(parentSpanId));
    expect(roots.map(({ name }) => name)).toEqual(['meet.join']);
    const [shown] = named(spans, 'meet.until first-frame');
    expect(shown?.endMs).toBe(click.endMs);
    // The browser and the site share this machine's clock; its marks are rounded to 0.1 ms.
    for (const span of spans) expect(span.startMs).toBeGreaterThanOrEqual(click.startMs - 1);
    for (const name of ['gateway.join', 'brain.decide', 'media.attach', 'media.ready'])
      for (const { endMs } of named(spans, name)) expect(endMs).toBeLessThanOrEqual(click.endMs + 1);
  });

  it('is over with the first frame: what happens later in the meeting adds nothing to its trace', async () => {
    const [click] = clicks() as [CollectedSpan];
    const before = traceOf(click).length;
    const acts = () => collector.spans.filter(({ name, site }) => name === 'gateway.act' && site === 'nyc');
    bot.speak(1_500);
    await eventually(() => (bot.view.floor === bot.leg ? [] : ['the voice is not on the floor yet']), 10_000);
    await attendee.page.keyboard.press('v');
    // A process exports its spans in the order in which they ended: once this one is here, so is everything before it.
    await eventually(() => (acts().length > 0 ? [] : ['the browser’s act was not traced']), 10_000);
    expect(acts()[0]?.traceId).not.toBe(click.traceId);
    expect(traceOf(click)).toHaveLength(before);
  });
});
