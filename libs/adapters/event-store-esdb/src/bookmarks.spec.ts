import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Bookmarks } from './bookmarks.js';

/** What reaches the server, each write when the spec says so. */
const server = () => {
  const written: string[] = [];
  const open: { readonly what: string; readonly done: (error?: Error) => void }[] = [];
  const bookmarks = new Bookmarks(
    (name, position) =>
      new Promise((resolve, reject) =>
        open.push({
          what: `${name} ${position}`,
          done: (error) => {
            if (error) return reject(error);
            written.push(`${name} ${position}`);
            resolve();
          },
        }),
      ),
  );
  const answer = async (error?: Error) => {
    for (const { done } of open.splice(0)) done(error);
    await vi.advanceTimersByTimeAsync(0);
  };
  return { bookmarks, written, open, answer };
};

describe('bookmarks on their way to the server', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('are there before facts if they are to be, and the others are not waited for', async () => {
    const { bookmarks, written, answer } = server();
    bookmarks.set('peer:lon', 'a', false);
    bookmarks.set('word:x', '1', true);
    bookmarks.set('word:y', '1', true);
    let facts = 'wait';
    void bookmarks.beforeFacts().then(() => (facts = 'go'));
    await vi.advanceTimersByTimeAsync(0);
    expect(facts).toBe('wait');
    await answer();
    expect([facts, written]).toEqual(['go', ['word:x 1', 'word:y 1']]);
    await bookmarks.beforeFacts();
    await vi.advanceTimersByTimeAsync(1_000);
    await answer();
    expect(written).toEqual(['word:x 1', 'word:y 1', 'peer:lon a']);
  });

  it('end with the newest under each name, however many ask while a slow server writes', async () => {
    const { bookmarks, written, open, answer } = server();
    bookmarks.set('word:x', '1', true);
    const first = bookmarks.beforeFacts();
    await vi.advanceTimersByTimeAsync(0);
    bookmarks.set('word:x', '2', true);
    bookmarks.set('word:x', '3', true);
    const others = Promise.all([bookmarks.beforeFacts(), bookmarks.beforeFacts(), bookmarks.beforeFacts()]);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(open.map(({ what }) => what)).toEqual(['word:x 1']);
    await answer();
    await first;
    await answer();
    await others;
    expect(written).toEqual(['word:x 1', 'word:x 3']);
    expect(bookmarks.of('word:x')).toBeUndefined();
  });

  it('that the server does not take let no facts through, and are written before the next', async () => {
    const { bookmarks, written, answer } = server();
    bookmarks.set('word:x', '1', true);
    const refused = expect(bookmarks.beforeFacts()).rejects.toThrow('away');
    await vi.advanceTimersByTimeAsync(0);
    await answer(new Error('away'));
    await refused;
    expect(bookmarks.of('word:x')).toBe('1');
    const again = bookmarks.beforeFacts();
    await vi.advanceTimersByTimeAsync(0);
    await answer();
    await again;
    expect(written).toEqual(['word:x 1']);
  });
});
