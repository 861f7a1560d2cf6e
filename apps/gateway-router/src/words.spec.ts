import { describe, expect, it } from 'vitest';
import { Defect, Fault, Refusal } from '@isthmus/kernel';
import { endedInWords, refusedInWords } from './words.js';

describe('what people are told', () => {
  it('is what the domain refused, in words for them', () => {
    expect(refusedInWords(new Refusal('conference.host-only', 'role of nyc-5f is guest'))).toEqual({
      code: 'conference.host-only',
      message: 'Only a host can do that.',
    });
  });

  it('is the refusal itself where this table does not know it', () => {
    expect(refusedInWords(new Refusal('conference.new-rule', 'You cannot do that on Sundays.'))).toEqual({
      code: 'conference.new-rule',
      message: 'You cannot do that on Sundays.',
    });
    expect(refusedInWords(new Refusal('toString', 'odd'))).toEqual({ code: 'toString', message: 'odd' });
  });

  it.each([
    new Fault('store.full', 'ENOSPC /var/lib/isthmus'),
    new Defect('brain.answer', 'oops'),
    new TypeError('x is undefined'),
    'text',
    undefined,
  ])('is nothing of our insides (%s)', (error) => {
    expect(refusedInWords(error)).toEqual({
      code: 'site.unavailable',
      message: 'This site cannot take calls right now. Trying again in a moment may help.',
    });
  });

  it('is a sentence for every way a seat can end', () => {
    for (const reason of ['left', 'removed', 'ended', 'replaced', 'rejected', 'room-disabled', 'node-lost', 'timeout'] as const)
      expect(endedInWords(reason)).toMatch(/^[A-Z].*\.$/);
  });
});
