/**
 * One measured value. `anchor`: what the same machine gave the thing compared with, in the same run. `note`: for people only.
 * @typedef {{ atMost: number } | { atLeast: number }} Goal
 * @typedef {{ name: string, value: number, unit: string, goal?: Goal, anchor?: { name: string, value: number }, note?: string }} Figure
 */

/**
 * What a benchmark module exports. @see README.md
 * @typedef {{ worker: string, quick: boolean, note: (text: string) => void, atEnd: (ending: () => unknown) => void }} BenchContext
 * @typedef {{ title: string, seconds: number, run: (context: BenchContext) => Promise<readonly Figure[]> }} Benchmark
 */

/** What became of a benchmark. @typedef {{ title: string, figures: readonly Figure[] } | { title: string, failed: string }} Outcome */

/** @param {Figure} figure @returns {boolean | undefined} undefined: there is no goal */
export const meetsGoal = ({ value, goal }) => {
  if (!goal) return undefined;
  return 'atMost' in goal ? value <= goal.atMost : value >= goal.atLeast;
};

/** @param {number} value */
const shown = (value) => {
  if (Number.isInteger(value) || Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-US');
  const digits = Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 1 ? 2 : 3;
  return value.toFixed(digits);
};

/** @param {Figure} figure */
const goalShown = ({ goal }) => (goal ? ('atMost' in goal ? `≤ ${shown(goal.atMost)}` : `≥ ${shown(goal.atLeast)}`) : '');

/** @param {Figure} figure */
const verdict = (figure) => ({ true: 'met', false: 'MISSED', undefined: '' })[String(meetsGoal(figure))] ?? '';

/** @param {Outcome} outcome @returns {string[][]} */
const rowsOf = (outcome) => {
  if ('failed' in outcome) return [[outcome.title, '', '', '', 'FAILED', outcome.failed.split('\n', 1)[0] ?? '']];
  return outcome.figures.map((figure) => [
    figure.name,
    shown(figure.value),
    figure.unit,
    goalShown(figure),
    verdict(figure),
    [figure.anchor ? `${figure.anchor.name}: ${shown(figure.anchor.value)}` : '', figure.note ?? ''].filter(Boolean).join('; '),
  ]);
};

/**
 * The figures as a table for people.
 * @param {readonly Outcome[]} outcomes
 */
export const tableOf = (outcomes) => {
  const header = ['', 'value', 'unit', 'goal', '', 'compared with'];
  const rows = outcomes.flatMap(rowsOf);
  const widths = header.map((_, column) => Math.max(...[header, ...rows].map((row) => row[column]?.length ?? 0)));
  const line = (/** @type {string[]} */ row) =>
    row
      .map((cell, column) => (column === 1 || column === 3 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd();
  return [header, ...rows].map(line).join('\n');
};

/** @typedef {{ name: string, value: number | null, unit: string, goal: Goal | null, anchor: { name: string, value: number } | null }} JsonFigure */

/**
 * The figures for a machine: `goal` and `anchor` are null where there is none, `value` too for a benchmark that failed.
 * @param {readonly Outcome[]} outcomes
 * @returns {JsonFigure[]}
 */
export const jsonOf = (outcomes) => outcomes.flatMap(jsonRowsOf);

/** @param {Outcome} outcome @returns {JsonFigure[]} */
const jsonRowsOf = (outcome) => {
  if ('failed' in outcome) return [{ name: `${outcome.title}: failed`, value: null, unit: '', goal: null, anchor: null }];
  return outcome.figures.map(({ name, value, unit, goal, anchor }) => ({ name, value, unit, goal: goal ?? null, anchor: anchor ?? null }));
};
