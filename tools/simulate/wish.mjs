import { parseArgs } from 'node:util';
import { Problem } from '../lib/problem.mjs';

/**
 * @typedef {object} Wish
 * @property {number} seeds how many; within so many each planted bug must be found
 * @property {number} from the first
 * @property {number | undefined} seed only this one, told in full and run twice
 * @property {number | undefined} sites so many in each world; left out, each seed decides
 * @property {boolean} restores whether disks are put back to old backups as well
 * @property {boolean} moves whether in every world sites are to end, and their people move
 * @property {boolean} pins whether in every world rooms have PINs, which are changed
 * @property {boolean} planted bugs that the simulation must find, instead of seeds that must pass
 * @property {boolean} verify bugs that the ordinary specs must let pass, instead of seeds or beside those that must be found
 * @property {readonly string[]} only planted bugs by a part of their name
 * @property {number | undefined} processes
 * @property {string | undefined} log a file that says which seeds have been lived through: those are left out, and the others added
 */

/** @param {string[]} args @returns {Wish} */
export const readWish = (args) => {
  const { values } = parseArgs({
    args,
    options: {
      seeds: { type: 'string' },
      from: { type: 'string', default: '1' },
      seed: { type: 'string' },
      sites: { type: 'string' },
      processes: { type: 'string' },
      log: { type: 'string' },
      restores: { type: 'boolean', default: false },
      moves: { type: 'boolean', default: false },
      pins: { type: 'boolean', default: false },
      planted: { type: 'boolean', default: false },
      verify: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
    },
  });
  return {
    seeds: count('seeds', values.seeds ?? (values.planted ? '10000' : '500'), 1, 100_000_000),
    from: count('from', values.from, 0, 2 ** 31),
    seed: values.seed === undefined ? undefined : count('seed', values.seed, 0, 2 ** 31),
    sites: values.sites === undefined ? undefined : count('sites', values.sites, 2, 50),
    processes: values.processes === undefined ? undefined : count('processes', values.processes, 1, 64),
    log: values.log,
    restores: values.restores,
    moves: values.moves,
    pins: values.pins,
    planted: values.planted,
    verify: values.verify,
    only: values.only,
  };
};

/** What each world is told. @param {Wish} wish @returns {import('@isthmus/simulator').WorldOptions} */
export const optionsOf = ({ sites, restores, moves, pins }) => ({
  restores,
  ...(moves ? { moves } : {}),
  ...(pins ? { pins } : {}),
  ...(sites === undefined ? {} : { sites }),
});

/** @param {string} name @param {string} text @param {number} from @param {number} to @returns {number} */
const count = (name, text, from, to) => {
  const number = Number(text);
  if (Number.isInteger(number) && number >= from && number <= to) return number;
  throw new Problem(`--${name} ${text} is no whole number from ${from} to ${to}.`, `Say, for example, --${name} ${Math.max(from, 20)}.`);
};
