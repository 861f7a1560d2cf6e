import { expect, it } from 'vitest';
import type { LegId } from '@isthmus/conference';
import { Fault, type SiteId } from '@isthmus/kernel';
import type { Bus, Message } from '@isthmus/ports';
import { Brain } from './brain.js';

it('asks a brain that has too much to do again, and not before a second has passed', async () => {
  const askedAtMs: number[] = [];
  const request = async (message: Message): Promise<Message> => {
    askedAtMs.push(performance.now());
    if (askedAtMs.length === 1) throw new Fault('bus.overloaded', 'more than they can');
    return { ...message, value: { type: 'Done' } };
  };
  const brain = new Brain('nyc' as SiteId, { request } as unknown as Bus);
  await brain.leave('r1', 'nyc-1' as LegId);
  expect(askedAtMs).toHaveLength(2);
  expect(askedAtMs[1]! - askedAtMs[0]!).toBeGreaterThan(950);
});
