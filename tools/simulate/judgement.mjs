/**
 * How a run of specs ended.
 * @typedef {object} Ran
 * @property {boolean} passed
 * @property {readonly string[]} failed specs, each as its file within the checkout and its full name; none if the run failed as a whole
 * @property {string} log where it says how
 */

/**
 * What specs say of a planted bug.
 * @typedef {object} Judgement
 * @property {readonly string[]} found by which specs; WHOLE_RUN if by none of them, but in what nobody waited for
 * @property {readonly string[]} unsteady those that failed once and then passed with the bug still there: a busy machine
 * @property {readonly string[]} broken those that fail without the bug as well: nobody can say what they see
 * @property {readonly string[]} logs of what was found or is broken
 */

/** A run that failed although every spec in it passed, or that did not get so far: an error in a timer, a loop without end. */
export const WHOLE_RUN = 'a run as a whole';

/**
 * Whether specs find a bug. What fails must fail again, alone, with the bug, and then pass without it: a spec that a busy machine
 * makes late has found nothing.
 * @param {{ withBug: (suspects?: readonly string[]) => Promise<Ran>, without: (suspects?: readonly string[]) => Promise<Ran> }} specs
 *   each runs these specs, or all that there are for it
 * @returns {Promise<Judgement>}
 */
export const judge = async ({ withBug, without }) => {
  const first = await withBug();
  if (first.passed) return { found: [], unsteady: [], broken: [], logs: [] };
  const suspects = first.failed.length === 0 ? undefined : first.failed;
  const second = await withBug(suspects);
  const again = failuresOf(second);
  const unsteady = failuresOf(first).filter((spec) => !again.includes(spec));
  if (again.length === 0) return { found: [], unsteady, broken: [], logs: [] };
  const sound = await without(second.failed.length === 0 ? suspects : again);
  const broken = failuresOf(sound);
  const found = again.filter((spec) => !broken.includes(spec) && !broken.includes(WHOLE_RUN));
  return { found, unsteady, broken, logs: [second.log, ...(broken.length > 0 ? [sound.log] : [])] };
};

/** @param {Ran} ran @returns {readonly string[]} */
const failuresOf = ({ passed, failed }) => (passed ? [] : failed.length === 0 ? [WHOLE_RUN] : failed);

/** In words, and whether all is well: nothing found it, and nothing is broken. @param {Judgement} judgement @returns {{ good: boolean, what: string }} */
export const inWords = ({ found, broken, logs }) => {
  const see = logs.length === 0 ? '' : ` (${logs.join(', ')})`;
  if (found.length > 0) return { good: false, what: `ordinary specs find it: ${found.join(', ')}${see}` };
  if (broken.length > 0) return { good: false, what: `cannot be judged by what fails without it, too: ${broken.join(', ')}${see}` };
  return { good: true, what: 'the ordinary specs let it pass' };
};

/** Between a spec's file, what it is of and its title, as Vitest has it in the names that it matches. */
const IN = ' > ';
const BY_NAME = '--testNamePattern';

/**
 * Which specs a report of Vitest (`--reporter json`) says have failed; the whole file where it did not come to its specs.
 * @typedef {{ name: string, status: string, assertionResults: readonly { ancestorTitles: readonly string[], title: string, status: string }[] }} FileResult
 * @param {{ testResults: readonly FileResult[] }} report @param {string} root of the checkout in which it ran
 * @returns {string[]}
 */
export const failedSpecs = ({ testResults }, root) =>
  testResults
    .filter(({ status }) => status !== 'passed')
    .flatMap(({ name, assertionResults }) => {
      const file = name.startsWith(`${root}/`) ? name.slice(root.length + 1) : name;
      const failed = assertionResults.filter(({ status }) => status === 'failed');
      return failed.length === 0 ? [file] : failed.map(({ ancestorTitles, title }) => [file, ...ancestorTitles, title].join(IN));
    });

/** What Vitest is to be told so that it runs these specs. @param {readonly string[]} specs as {@link failedSpecs} names them @returns {string[]} */
export const argumentsFor = (specs) => {
  const files = [...new Set(specs.map((spec) => spec.split(IN)[0] ?? spec))];
  const names = specs.map((spec) => spec.split(IN).slice(1).join(IN));
  const pattern = names.map((name) => `^${name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`).join('|');
  return names.includes('') ? files : [...files, BY_NAME, pattern];
};

/**
 * Whether any spec was run, where some were asked for by name: that none failed says something then.
 * @param {{ numPassedTests: number, numFailedTests: number }} report @param {readonly string[]} asked
 */
export const hasRun = ({ numPassedTests, numFailedTests }, asked) => !asked.includes(BY_NAME) || numPassedTests + numFailedTests > 0;

/**
 * Puts things together, at most so many and only such as fit.
 * @template T
 * @param {readonly T[]} all @param {number} most @param {(bundle: readonly T[]) => boolean} fit @returns {T[][]}
 */
export const bundlesOf = (all, most, fit) => {
  /** @type {T[][]} */
  const bundles = [];
  for (const one of all) {
    const roomy = bundles.find((bundle) => bundle.length < most && fit([...bundle, one]));
    if (roomy === undefined) bundles.push([one]);
    else roomy.push(one);
  }
  return bundles;
};

/**
 * Judges several bugs that are there at once. Where specs find something, those are asked about each bug alone.
 * @template T
 * @param {readonly T[]} bundle
 * @param {(bugs: readonly T[], suspects?: readonly string[]) => Promise<Ran>} run those specs with these bugs, or all
 * @returns {Promise<Map<T, Judgement>>}
 */
export const judgeTogether = async (bundle, run) => {
  const of = (/** @type {readonly T[]} */ bugs, /** @type {readonly string[] | undefined} */ suspects) =>
    judge({ withBug: (some) => run(bugs, some ?? suspects), without: (some) => run([], some ?? suspects) });
  const together = await of(bundle, undefined);
  /** @type {Map<T, Judgement>} */
  const judgements = new Map();
  const { found } = together;
  const suspects = found.includes(WHOLE_RUN) ? undefined : found;
  for (const one of bundle) judgements.set(one, bundle.length === 1 || found.length === 0 ? together : await of([one], suspects));
  return judgements;
};
