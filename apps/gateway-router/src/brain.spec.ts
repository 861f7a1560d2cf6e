import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LegId } from '@isthmus/conference';
import { Fault, type SiteId } from '@isthmus/kernel';
import type { Bus, Message } from '@isthmus/ports';
import { Brain } from './brain.js';

/** A bus whose brain does this with the first question and answers the next, and what it was asked: when, and for how long. */
const busWith = (first: (deadlineMs: number) => Promise<never>, always = false) => {
  const asked: { readonly atMs: number; readonly deadlineMs: number }[] = [];
  const request = async (message: Message, deadlineMs: number): Promise<Message> => {
    asked.push({ atMs: performance.now(), deadlineMs });
    if (always || asked.length === 1) return first(deadlineMs);
    return { ...message, value: { type: 'Done' } };
  };
  return { asked, brain: new Brain('nyc' as SiteId, { request } as unknown as Bus) };
};
const overloaded = async (): Promise<never> => {
  throw new Fault('bus.overloaded', 'more than they can');
};
const silent = async (deadlineMs: number): Promise<never> => {
  await new Promise((resolve) => setTimeout(resolve, deadlineMs));
  throw new Fault('bus.no-answer', 'nobody answered');
};

describe('a question to the brain', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] }));
  afterEach(() => void vi.useRealTimers());

  it('is asked again of one that has too much to do, after a pause', async () => {
    const { asked, brain } = busWith(overloaded);
    const left = brain.leave('r1', 'nyc-1' as LegId);
    await vi.advanceTimersByTimeAsync(1_600);
    await left;
    expect(asked).toHaveLength(2);
    expect(asked[1]!.atMs - asked[0]!.atMs).toBeGreaterThanOrEqual(500);
  });

  it('is asked a second time where nobody answers, for as long as whoever waits has patience left', async () => {
    const { asked, brain } = busWith(silent, true);
    const left = expect(brain.leave('r1', 'nyc-1' as LegId)).rejects.toMatchObject({ code: 'bus.no-answer' });
    await vi.advanceTimersByTimeAsync(10_000);
    await left;
    expect(asked).toHaveLength(2);
    expect(Math.min(...asked.map(({ deadlineMs }) => deadlineMs))).toBeGreaterThan(2_900);
  });

  it('is not asked again when the answer could only come too late', async () => {
    const { asked, brain } = busWith(overloaded, true);
    const left = expect(brain.leave('r1', 'nyc-1' as LegId)).rejects.toMatchObject({ code: 'bus.overloaded' });
    await vi.advanceTimersByTimeAsync(10_000);
    await left;
    expect(asked.length).toBeGreaterThan(3);
    expect(asked.at(-1)!.atMs - asked[0]!.atMs).toBeLessThanOrEqual(5_500);
  });
});
