/**
 * One measured value. `anchor`: what the same machine gave the thing compared with, in the same run.
 * @typedef {{ atMost: number } | { atLeast: number }} Goal
 * @typedef {{ name: string, value: number, unit: string, goal?: Goal, anchor?: { name: string, value: number } }} Figure
 */

/**
 * What a benchmark module exports. @see README.md
 * @typedef {{ worker: string, note: (text: string) => void }} BenchContext
 * @typedef {{ title: string, seconds: number, run: (context: BenchContext) => Promise<readonly Figure[]> }} Benchmark
 */

/** @param {Figure} figure @returns {boolean | undefined} undefined: there is no goal */
export const meetsGoal = ({ value, goal }) => {
  if (!goal) return undefined;
  return 'atMost' in goal ? value <= goal.atMost : value >= goal.atLeast;
};

/** @param {number} value */
const shown = (value) => {
  if (Number.isInteger(value)) return value.toLocaleString('en-US');
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 1 ? 2 : 3;
  return value.toFixed(digits);
};

/** @param {Figure} figure */
const goalShown = ({ goal }) => (goal ? ('atMost' in goal ? `≤ ${shown(goal.atMost)}` : `≥ ${shown(goal.atLeast)}`) : '');

/** @param {Figure} figure */
const verdict = (figure) => ({ true: 'met', false: 'MISSED', undefined: '' })[String(meetsGoal(figure))] ?? '';

/**
 * The figures as a table for people.
 * @param {readonly Figure[]} figures
 */
export const tableOf = (figures) => {
  const header = ['', 'value', 'unit', 'goal', '', 'compared with'];
  const rows = figures.map((figure) => [
    figure.name,
    shown(figure.value),
    figure.unit,
    goalShown(figure),
    verdict(figure),
    figure.anchor ? `${figure.anchor.name}: ${shown(figure.anchor.value)}` : '',
  ]);
  const widths = header.map((_, column) => Math.max(...[header, ...rows].map((row) => row[column]?.length ?? 0)));
  const line = (/** @type {string[]} */ row) =>
    row
      .map((cell, column) => (column === 1 || column === 3 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd();
  return [header, ...rows].map(line).join('\n');
};

/**
 * The figures for a machine: `goal` and `anchor` are null where there is none.
 * @param {readonly Figure[]} figures
 */
export const jsonOf = (figures) =>
  figures.map(({ name, value, unit, goal, anchor }) => ({ name, value, unit, goal: goal ?? null, anchor: anchor ?? null }));
