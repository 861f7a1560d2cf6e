import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseScript, perform, roundOf, scriptOf, whoIs } from './script.js';

describe('a speech script', () => {
  it('is read line by line, whatever the spacing, without comments', () => {
    const script = parseScript(`
      # The figure of the paper
      0    Ana Moreno for 4
      4.5s Ben Okafor for 3s   # London answers
      at 9, 2 for 1.5
    `);
    expect(script).toEqual({
      turns: [
        { atMs: 0, forMs: 4_000, who: 'Ana Moreno' },
        { atMs: 4_500, forMs: 3_000, who: 'Ben Okafor' },
        { atMs: 9_000, forMs: 1_500, who: '2' },
      ],
      lengthMs: 10_500,
    });
  });

  it('is read from JSON too, in order of time', () => {
    expect(parseScript('[{"at":2,"who":1,"for":1},{"at":0,"who":"Ana","for":9}]')).toEqual({
      turns: [
        { atMs: 0, forMs: 9_000, who: 'Ana' },
        { atMs: 2_000, forMs: 1_000, who: '1' },
      ],
      lengthMs: 9_000,
    });
  });

  it.each([
    ['0 Ana speaks for ever', 'line 1 says "0 Ana speaks for ever"'],
    ['\n1 Ana for 0', 'turn 1: for'],
    ['-1 Ana for 2', 'line 1'],
    ['[{"at":0,"who":"","for":1}]', 'turn 1: who'],
    ['[{"at":0,', 'JSON'],
    ['# only a comment', 'nobody says anything'],
    ['[]', 'nobody says anything'],
  ])('that cannot be meant is refused with the place: %j', (text, why) => {
    expect(() => parseScript(text)).toThrow(why);
    expect(() => parseScript(text)).toThrow('Write a line per turn');
  });

  it('finds its speakers by name, then by place, and says who is here when it cannot', () => {
    const cast = [{ name: 'Ana' }, { name: 'Ben' }];
    expect(whoIs(cast, 'Ben')).toBe(cast[1]);
    expect(whoIs(cast, '0')).toBe(cast[0]);
    expect(() => whoIs(cast, '7')).toThrow('only these are here: Ana, Ben');
  });
});

describe('a performance', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());
  const castOf = (...names: string[]) => {
    const heard: string[] = [];
    return {
      heard,
      cast: names.map((name) => ({ name, speak: (ms: number) => heard.push(`${name} ${ms}`), quiet: () => heard.push(`${name} quiet`) })),
    };
  };

  it('lets everybody speak in turn, then is over', async () => {
    const { heard, cast } = castOf('Ana', 'Ben');
    let over = false;
    void perform(roundOf(['Ana', 'Ben'], { forMs: 1_000, pauseMs: 200 }), cast).over.then(() => (over = true));
    await vi.advanceTimersByTimeAsync(1_100);
    expect(heard).toEqual(['Ana 1000']);
    await vi.advanceTimersByTimeAsync(1_050);
    expect([heard, over]).toEqual([['Ana 1000', 'Ben 1000'], false]);
    await vi.advanceTimersByTimeAsync(100);
    expect(over).toBe(true);
  });

  it('begins again when it shall, until it is stopped, and then everybody is quiet', async () => {
    const { heard, cast } = castOf('Ana');
    const performance = perform(scriptOf([{ who: 'Ana', atMs: 0, forMs: 500 }]), cast, { repeat: true });
    await vi.advanceTimersByTimeAsync(1_200);
    expect(heard).toEqual(['Ana 500', 'Ana 500', 'Ana 500']);
    performance.stop();
    await performance.over;
    await vi.advanceTimersByTimeAsync(2_000);
    expect(heard).toEqual(['Ana 500', 'Ana 500', 'Ana 500', 'Ana quiet']);
  });
});
