import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { countReport, missedOnce, sum } from './run-suite.mjs';
import { SUITES, specFiles } from './suites.mjs';

describe('the test runner', () => {
  let folder: string;
  let said: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'isthmus-report-'));
    said = '';
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      said += String(text);
      return true;
    });
  });
  afterEach(() => {
    vi.restoreAllMocks();
    rmSync(folder, { recursive: true });
  });

  const counted = (testResults: object[]) => {
    const report = join(folder, 'report.json');
    writeFileSync(report, JSON.stringify({ testResults }));
    const files = countReport(report);
    return files && sum(files);
  };
  const test = (status: string, fullName = 'it works') => ({
    status,
    fullName,
    failureMessages: status === 'failed' ? ['expected 1 to be 2'] : [],
  });

  it('counts what passed and failed, and takes everything else for skipped', () => {
    const assertionResults = ['passed', 'passed', 'failed', 'skipped', 'pending', 'todo'].map((status) => test(status));
    expect(counted([{ name: '/a.spec.ts', status: 'failed', message: '', assertionResults }])).toEqual({
      passed: 2,
      failed: 1,
      skipped: 3,
    });
    expect(said).toContain('it works');
    expect(said).toContain('expected 1 to be 2');
  });

  it('counts a file that could not even be loaded as a failure, and says why', () => {
    expect(counted([{ name: '/a.spec.ts', status: 'failed', message: 'Cannot find module x', assertionResults: [] }])).toEqual({
      passed: 0,
      failed: 1,
      skipped: 0,
    });
    expect(said).toContain('Cannot find module x');
  });

  it('counts a file whose tests passed and whose afterAll failed as a failure', () => {
    expect(counted([{ name: '/a.spec.ts', status: 'failed', message: 'close() hung', assertionResults: [test('passed')] }])).toEqual({
      passed: 1,
      failed: 1,
      skipped: 0,
    });
  });

  it('knows when there is no report at all', () => {
    expect(countReport(join(folder, 'none.json'))).toBeUndefined();
  });

  it('tries a file or two once more that missed, but not what fails everywhere', () => {
    const file = (name: string, failed: number) => ({ file: name, passed: 1, failed, skipped: 0 });
    expect(missedOnce([file('a', 0), file('b', 1)])).toEqual(['b']);
    expect(missedOnce([file('a', 1), file('b', 1), file('c', 2)])).toEqual([]);
    expect(missedOnce([file('a', 0)])).toEqual([]);
  });

  it('has budgets that fit into 35 minutes together', () => {
    expect(SUITES.filter(({ long }) => !long).reduce((sum, { budgetMin }) => sum + budgetMin, 0)).toBeLessThanOrEqual(35);
  });

  it('finds spec files for every suite that is run by Vitest', () => {
    const empty = SUITES.filter(({ project, long }) => project && !long).filter(({ project }) => specFiles(project ?? '') === 0);
    expect(empty).toEqual([]);
  });
});
