import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Problem } from '../lib/problem.mjs';

/** @typedef {{ only: readonly string[], quick: boolean, json: string | undefined }} Wish */

export const HERE = fileURLToPath(new URL('.', import.meta.url));

/** What the command line asks for. @param {readonly string[]} args @returns {Wish} */
export const readWish = (args) => {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { json: { type: 'string' }, only: { type: 'string', multiple: true }, quick: { type: 'boolean', default: false } },
      allowPositionals: true,
    });
    return { only: [...(values.only ?? []), ...positionals], quick: values.quick, json: values.json };
  } catch (cause) {
    throw new Problem(cause instanceof Error ? cause.message : String(cause), 'There are: --only PART, --quick, --json FILE.', { cause });
  }
};

/** The benchmarks' files, in the order they run. @param {Wish} wish @returns {string[]} */
export const chosenFiles = ({ only }) => {
  const all = readdirSync(HERE)
    .filter((file) => /\.bench\.(mjs|ts)$/.test(file))
    .sort();
  const unknown = only.find((part) => !all.some((file) => file.includes(part)));
  if (unknown !== undefined) {
    throw new Problem(`There is no benchmark "${unknown}".`, `There are: ${all.map((file) => file.split('.')[0]).join(', ')}.`);
  }
  return all.filter((file) => only.length === 0 || only.some((part) => file.includes(part)));
};
