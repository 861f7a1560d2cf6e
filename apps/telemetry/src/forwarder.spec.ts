import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Fault, Refusal, type SiteId } from '@isthmus/kernel';
import type { TelemetryBatch } from '@isthmus/protocol';
import { Forwarder } from './forwarder.js';

const batch = (number: number): TelemetryBatch => ({
  site: 'lon' as SiteId,
  run: 'r',
  number,
  sentAt: 0,
  nodes: [],
  facts: {},
  dropped: 0,
});
const settle = () => sleep(20);

describe('a forwarder', () => {
  let forwarder: Forwarder;
  afterEach(() => forwarder.close());

  it('sends in order, one at a time', async () => {
    const sent: number[] = [];
    let under = 0;
    forwarder = new Forwarder(async ({ number }) => {
      expect(++under).toBe(1);
      await sleep(2);
      under -= 1;
      sent.push(number);
    });
    for (let n = 0; n < 5; n++) forwarder.push(batch(n));
    await vi.waitFor(() => expect(sent).toEqual([0, 1, 2, 3, 4]), 3_000);
  });

  it('keeps two minutes while management is away, drops the oldest, and catches up', async () => {
    let away = true;
    const sent: number[] = [];
    forwarder = new Forwarder(async ({ number }) => {
      if (away) throw new Fault('management.unreachable', 'away');
      sent.push(number);
    });
    for (let n = 0; n < 150; n++) forwarder.push(batch(n));
    await vi.waitFor(() => expect(forwarder.trouble).toContain('120 batches wait'), 3_000);
    expect(forwarder.dropped).toBe(30);
    away = false;
    await vi.waitFor(() => expect(sent).toEqual(Array.from({ length: 120 }, (_, n) => n + 30)), 5_000);
    expect(forwarder.trouble).toBeUndefined();
  });

  it('goes on after a batch that management finds malformed', async () => {
    const sent: number[] = [];
    forwarder = new Forwarder(async ({ number }) => {
      if (number === 0) throw new Refusal('request.invalid', 'odd');
      sent.push(number);
    });
    forwarder.push(batch(0));
    forwarder.push(batch(1));
    await vi.waitFor(() => expect(sent).toEqual([1]), 5_000);
  });

  it('closes at once in the middle of a call that does not return', async () => {
    forwarder = new Forwarder(
      (_, signal) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted')))),
    );
    forwarder.push(batch(0));
    await settle();
    const began = performance.now();
    await forwarder.close();
    await forwarder.close();
    expect(performance.now() - began).toBeLessThan(1_000);
  });
});
