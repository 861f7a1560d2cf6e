import { describe, expect, it } from 'vitest';
import { byField, Problem, wordsFor } from './problem.js';

const refused = (errors: { path: string; message: string }[]) =>
  Problem.from(422, { status: 422, code: 'room.refused', detail: 'In all.', errors });

describe('a problem', () => {
  it('is told beside the field that it is about, also for one entry of a list', () => {
    const { fields, rest } = byField(refused([{ path: 'aliases.1', message: 'Taken.' }]), ['name', 'aliases']);
    expect(fields).toEqual({ aliases: 'Taken.' });
    expect(rest).toBeUndefined();
  });

  it('is told once where several faults of one field say the same', () => {
    const errors = [
      { path: 'aliases.0', message: 'Too short.' },
      { path: 'aliases.1', message: 'Too short.' },
      { path: 'aliases.2', message: 'Taken.' },
    ];
    expect(byField(refused(errors), ['aliases']).fields).toEqual({ aliases: 'Too short. Taken.' });
  });

  it('is told for the whole form when no field of it is meant', () => {
    expect(byField(refused([{ path: 'cursor', message: 'No.' }]), ['name']).rest).toBe('In all.');
    expect(byField(refused([]), ['name']).rest).toBe('In all.');
  });

  it('is words for a person also when a proxy answers with a page', () => {
    expect(wordsFor(Problem.from(502, '<html>'))).toContain('502');
    expect(wordsFor(new TypeError('x is undefined'))).not.toContain('undefined');
  });
});
