import { afterEach, describe, expect, it, vi } from 'vitest';
import { Endings } from './endings.mjs';

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe('what a benchmark started', () => {
  it('is ended in the opposite order, once', async () => {
    const endings = new Endings();
    const done: string[] = [];
    for (const name of ['demo', 'browser']) endings.add(() => done.push(name));
    await endings.run();
    await endings.run();
    expect(done).toEqual(['browser', 'demo']);
  });

  it('is ended also if the benchmark was cut off while it started it, which then starts nothing more', async () => {
    vi.useFakeTimers();
    const endings = new Endings();
    const done: string[] = [];
    endings.add(() => done.push('broker'));
    const work = (async () => {
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      endings.add(() => done.push('store'));
      await new Promise((resolve) => setTimeout(resolve, 60_000));
      endings.add(() => done.push('late brain'));
      done.push('a brain that nobody ends');
    })();
    const finished = endings.finish(work);
    await vi.advanceTimersByTimeAsync(15_000);
    await finished;
    expect(done).toEqual(['broker', 'store']);
    const cut = expect(work).rejects.toThrow('The benchmark is over.');
    await vi.advanceTimersByTimeAsync(60_000);
    await cut;
    expect(done).toEqual(['broker', 'store', 'late brain']);
  });

  it('is ended even if something else cannot be, which is said', async () => {
    const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    vi.useFakeTimers();
    const endings = new Endings();
    const demo = vi.fn();
    endings.add(demo);
    endings.add(() => Promise.reject(new Error('no such process')));
    endings.add(() => new Promise(() => undefined));
    const ended = endings.run();
    await vi.advanceTimersByTimeAsync(30_000);
    await ended;
    expect(demo).toHaveBeenCalledTimes(1);
    expect(said.mock.calls.map(([text]) => text)).toEqual([
      'Something could not be ended: it took more than 30 s\n',
      'Something could not be ended: no such process\n',
    ]);
  });
});
