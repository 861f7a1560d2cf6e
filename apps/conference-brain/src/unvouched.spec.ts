import { seal, streamNameOf, writerIdOf, type Fact, type SiteId } from '@isthmus/kernel';
import { describe, expect, it } from 'vitest';
import { Unvouched } from './unvouched.js';

describe('facts that their author has not vouched for yet', () => {
  const lon = 'lon' as SiteId;
  const stream = streamNameOf('conference', 'r0_1', writerIdOf(lon, 1));
  const fact = (seq: number): Fact =>
    seal({ stream, seq, prev: null, at: 1, after: [], by: 'system', type: 'Said', v: 1, body: {} }, (text) => text);

  it('count once its word on the stream goes as far', () => {
    let word = 1;
    const unvouched = new Unvouched(() => word);
    expect(unvouched.sift([fact(1), fact(2), fact(3)]).map(({ seq }) => seq)).toEqual([1]);
    expect(unvouched.vouched()).toEqual([]);
    word = 2;
    expect(unvouched.vouched().map(({ seq }) => seq)).toEqual([2]);
    word = 5;
    expect(unvouched.vouched().map(({ seq }) => seq)).toEqual([3]);
    expect(unvouched.vouched()).toEqual([]);
  });

  it('count without a word if their author is heard for long and says nothing of them, and not while it is away', () => {
    const unvouched = new Unvouched(() => -1);
    unvouched.sift([fact(0)]);
    const looks = (heard: boolean, times: number) =>
      Array.from({ length: times }, () => unvouched.overdue(() => heard).map(({ seq }) => seq)).flat();
    expect(looks(true, 3)).toEqual([]);
    expect(looks(false, 10)).toEqual([]);
    expect(looks(true, 3)).toEqual([]);
    expect(looks(true, 2)).toEqual([0]);
    expect(looks(true, 10)).toEqual([]);
  });
});
