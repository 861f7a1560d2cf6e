import { describe, expect, it } from 'vitest';
import { common } from '@isthmus/protocol';
import { beginJoinTrace } from './trace.js';

describe('the trace of a join', () => {
  it('begins with an id that every service accepts, another for every click', () => {
    const [one, two] = [beginJoinTrace(), beginJoinTrace()];
    expect(common.traceparent.safeParse(one.traceparent).success).toBe(true);
    expect(one.traceparent).not.toBe(two.traceparent);
  });

  it('names each moment once, later than the click', () => {
    const trace = beginJoinTrace();
    trace.mark('joined');
    const first = trace.marks.joined;
    trace.mark('joined');
    expect(trace.marks.joined).toBe(first);
    expect(first).toBeGreaterThanOrEqual(trace.clickedAt);
  });
});
