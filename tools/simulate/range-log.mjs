import { appendFileSync, readFileSync } from 'node:fs';
import { Problem } from '../lib/problem.mjs';

/**
 * Which seeds have been lived through, as lines of a file: `seeds=1-500 failed=17,203 worlds={"restores":false} commit=6b9a63b seconds=9.8`.
 * A million seeds can so be run in parts: the same command goes on with those that no line has yet.
 * @typedef {{ from: number, count: number }} Range
 * @typedef {Range & { failed: readonly number[] }} Lived
 */

const LINE = /^seeds=(\d+)-(\d+) failed=([\d,]*) worlds=(\S+) commit=\S+ seconds=\S+$/;

/**
 * What a log says of worlds of this kind; one that is not there yet is begun.
 * @param {string} file @param {object} worlds @returns {Lived[]}
 * @throws Problem where nothing can be added to it: that is known before anything has been lived through
 */
export const readLog = (file, worlds) => {
  return textOf(file)
    .split('\n')
    .flatMap((line) => {
      const [, first, last, failed, of] = LINE.exec(line) ?? [];
      if (of !== JSON.stringify(worlds)) return [];
      const seeds = failed === '' ? [] : (failed ?? '').split(',').map(Number);
      return [
        {
          from: Number(first),
          count: Number(last) - Number(first) + 1,
          failed: seeds,
        },
      ];
    });
};

/** @param {string} file */
const textOf = (file) => {
  try {
    appendFileSync(file, '');
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Problem(
      `The log ${file} cannot be kept: ${error instanceof Error ? error.message : error}.`,
      'Name a file in a folder that is there and may be written to.',
    );
  }
};

/** @param {string} file @param {object} worlds @param {Lived & { commit: string, seconds: number }} lived */
export const addToLog = (file, worlds, { from, count, failed, commit, seconds }) =>
  appendFileSync(
    file,
    `seeds=${from}-${from + count - 1} failed=${failed.join()} worlds=${JSON.stringify(worlds)} commit=${commit} seconds=${seconds.toFixed(1)}\n`,
  );

/** What is left of a range, in parts of at most so many seeds. @param {Range} wanted @param {readonly Range[]} lived @param {number} most @returns {Range[]} */
export const rangesLeft = ({ from, count }, lived, most) => {
  const end = from + count;
  /** @type {Range[]} */
  const left = [];
  let at = from;
  const upTo = (/** @type {number} */ next) => {
    for (; at < next; at = Math.min(at + most, next)) left.push({ from: at, count: Math.min(most, next - at) });
  };
  for (const known of [...lived].sort((a, b) => a.from - b.from)) {
    upTo(Math.min(known.from, end));
    at = Math.max(at, known.from + known.count);
  }
  upTo(end);
  return left;
};
