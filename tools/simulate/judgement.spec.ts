import { describe, expect, it } from 'vitest';
import { argumentsFor, bundlesOf, failedSpecs, hasRun, inWords, judge, judgeTogether, WHOLE_RUN } from './judgement.mjs';

/** Runs that end as told, one after the other; which files each was asked for. */
const specs = (withBug: string[][], without: string[][] = []) => {
  const asked: string[] = [];
  const run = (kind: string, ends: string[][]) => (files?: readonly string[]) => {
    asked.push(`${kind}: ${files?.join(' ') ?? 'all'}`);
    const failed = ends.shift();
    if (failed === undefined) throw new Error(`Nothing is known of another run ${kind}.`);
    const files_ = failed.filter((file) => file !== WHOLE_RUN);
    return Promise.resolve({ passed: failed.length === 0, failed: files_, log: `${kind}.log` });
  };
  return { asked, withBug: run('with', withBug), without: run('without', without) };
};

describe('the judgement of specs about a planted bug', () => {
  it('is that they let it pass when all of them pass', async () => {
    const runs = specs([[]]);
    expect(inWords(await judge(runs))).toEqual({ good: true, what: 'the ordinary specs let it pass' });
    expect(runs.asked).toEqual(['with: all']);
  });

  it('is that those find it which fail twice with it and pass without', async () => {
    const runs = specs([['a.spec.ts', 'b.spec.ts'], ['a.spec.ts']], [[]]);
    const judgement = await judge(runs);
    expect(judgement).toMatchObject({ found: ['a.spec.ts'], unsteady: ['b.spec.ts'], broken: [] });
    expect(inWords(judgement).good).toBe(false);
    expect(runs.asked).toEqual(['with: all', 'with: a.spec.ts b.spec.ts', 'without: a.spec.ts']);
  });

  it('counts nothing that fails only once, and says so', async () => {
    const runs = specs([['late.spec.ts'], []]);
    const judgement = await judge(runs);
    expect(judgement).toMatchObject({ found: [], unsteady: ['late.spec.ts'] });
    expect(inWords(judgement)).toEqual({ good: true, what: 'the ordinary specs let it pass' });
  });

  it('is no judgement where they fail without it as well, and no bug is taken for unfound because of that', async () => {
    const runs = specs([['broken.spec.ts'], ['broken.spec.ts']], [['broken.spec.ts']]);
    const judgement = await judge(runs);
    expect(judgement).toMatchObject({ found: [], broken: ['broken.spec.ts'] });
    expect(inWords(judgement)).toEqual({
      good: false,
      what: 'cannot be judged by what fails without it, too: broken.spec.ts (with.log, without.log)',
    });
  });

  it('tells what fails without it from what finds it', async () => {
    const both = ['broken.spec.ts', 'a.spec.ts'];
    expect(await judge(specs([both, both], [['broken.spec.ts']]))).toMatchObject({ found: ['a.spec.ts'], broken: ['broken.spec.ts'] });
  });

  it('hears what nobody waits for: a run that fails although every file in it passes', async () => {
    const runs = specs([[WHOLE_RUN], [WHOLE_RUN]], [[]]);
    expect((await judge(runs)).found).toEqual([WHOLE_RUN]);
    expect(runs.asked).toEqual(['with: all', 'with: all', 'without: all']);
    expect(await judge(specs([[WHOLE_RUN], [WHOLE_RUN]], [[WHOLE_RUN]]))).toMatchObject({ found: [], broken: [WHOLE_RUN] });
    expect(await judge(specs([[WHOLE_RUN], []]))).toMatchObject({ found: [], unsteady: [WHOLE_RUN] });
  });

  it('names specs as the checkout does, wherever they were run', () => {
    const passed = { ancestorTitles: ['a meeting'], title: 'passes', status: 'passed' };
    const failed = { ancestorTitles: ['a meeting', 'of two (or more)'], title: 'ends', status: 'failed' };
    const testResults = [
      { name: '/copy/libs/a.spec.ts', status: 'failed', assertionResults: [passed, failed] },
      { name: '/copy/libs/b.spec.ts', status: 'passed', assertionResults: [passed] },
      { name: '/copy/libs/c.spec.ts', status: 'failed', assertionResults: [] },
    ];
    const [of, whole] = failedSpecs({ testResults }, '/copy') as [string, string];
    expect([of, whole]).toEqual(['libs/a.spec.ts > a meeting > of two (or more) > ends', 'libs/c.spec.ts']);
    const [file, , pattern] = argumentsFor([of]);
    expect(file).toBe('libs/a.spec.ts');
    expect(new RegExp(pattern!).test('a meeting > of two (or more) > ends')).toBe(true);
    expect(new RegExp(pattern!).test('a meeting > passes')).toBe(false);
    expect(argumentsFor([of, whole])).toEqual(['libs/a.spec.ts', 'libs/c.spec.ts']);
    // No spec of that name any more is no spec that passed.
    expect(hasRun({ numPassedTests: 0, numFailedTests: 0 }, argumentsFor([of]))).toBe(false);
    expect(hasRun({ numPassedTests: 1, numFailedTests: 0 }, argumentsFor([of]))).toBe(true);
    expect(hasRun({ numPassedTests: 0, numFailedTests: 0 }, ['related', 'a.ts'])).toBe(true);
  });
});

describe('several planted bugs at once', () => {
  /** Spec files that see one of these bugs, by the bug. */
  const seeing = (sees: Readonly<Record<string, string>>) => {
    const asked: string[] = [];
    const run = (bugs: readonly string[], files?: readonly string[]) => {
      asked.push(`${bugs.join('+') || 'none'} ${files?.join(' ') ?? 'all'}`);
      const failed = bugs.flatMap((bug) => sees[bug] ?? []).filter((file) => files?.includes(file) ?? true);
      return Promise.resolve({ passed: failed.length === 0, failed, log: 'log' });
    };
    return { asked, run };
  };

  it('pass all of them when nothing fails with all of them', async () => {
    const { asked, run } = seeing({});
    const judgements = await judgeTogether(['a', 'b', 'c'], run);
    expect([...judgements].map(([bug, judgement]) => [bug, inWords(judgement).good])).toEqual([
      ['a', true],
      ['b', true],
      ['c', true],
    ]);
    expect(asked).toEqual(['a+b+c all']);
  });

  it('are told apart by what failed, one at a time', async () => {
    const { asked, run } = seeing({ b: 'sees-b.spec.ts' });
    const judgements = await judgeTogether(['a', 'b'], run);
    expect([...judgements.values()].map(({ found }) => found)).toEqual([[], ['sees-b.spec.ts']]);
    const again = ['a+b sees-b.spec.ts', 'none sees-b.spec.ts', 'a sees-b.spec.ts'];
    expect(asked).toEqual(['a+b all', ...again, 'b sees-b.spec.ts', 'b sees-b.spec.ts', 'none sees-b.spec.ts']);
  });

  it('are as many as may be and fit', () => {
    const apart = (bundle: readonly string[]) => !(bundle.includes('a') && bundle.includes('b'));
    expect(bundlesOf(['a', 'b', 'c', 'd', 'e'], 3, apart)).toEqual([
      ['a', 'c', 'd'],
      ['b', 'e'],
    ]);
    expect(bundlesOf([], 3, apart)).toEqual([]);
  });
});
