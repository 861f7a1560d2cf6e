import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { BIN, ROOT, toolEnvironment } from '../lib/paths.mjs';
import { run } from '../lib/run.mjs';
import { freshFolder, linkPackages, patch, patchAll, putBuilt } from './copies.mjs';
import { argumentsFor, bundlesOf, failedSpecs, hasRun, inWords, judgeTogether } from './judgement.mjs';
import { inParallel } from './pool.mjs';

/** @typedef {import('./planted.mjs').Planted} Planted */
/** @typedef {import('./judgement.mjs').Judgement} Judgement */
/** @typedef {import('./judgement.mjs').Ran} Ran */

/** The simulation in person: what it has found once is told there again, and it is meant to find these. Copies have no specs of it. */
const NOT_ORDINARY = /^libs\/simulator\/.*\.spec\.ts$/;
/** The application that the simulation runs: what a library does wrong, its services' specs are to see as well. */
const APPLICATION = 'apps/conference-brain';
const LEFT_OUT = /(^|\/)(node_modules|\.[^/]*)(\/|$)/;
/** Spec files of services mostly wait, so that some go at the same time. What is late because of that passes when it is run again, alone. */
const SERVICES_AT_ONCE = 3;
/** So many bugs are there at once while services are looked at. */
const BUNDLE = 6;
/** What has not ended by then, does not. */
const LIMIT_MS = 1_200_000;

/**
 * Whether the ordinary specs let each bug pass, in copies of the checkout, of which so many work at once. First the quick ones, for each bug
 * alone: all that reach the changed file by what they import, in whatever package. Then those of services of its package and of the
 * application, which take a minute and more, for some bugs at once; where they see something, for each alone.
 * @param {readonly Planted[]} all @param {number} atOnce @param {(planted: Planted, good: boolean, what: string) => void} say
 */
export const verifyAll = async (all, atOnce, say) => {
  const packages = packagesOf();
  const copies = Array.from({ length: Math.min(atOnce, all.length) }, (_, i) => new Copy(`specs-${i}`, packages));
  const withCopy = async (/** @type {(copy: Copy) => Promise<void>} */ work) => {
    const copy = /** @type {Copy} */ (copies.pop());
    await work(copy);
    copies.push(copy);
  };
  /** @type {Planted[]} */
  const left = [];
  await inParallel(all, copies.length, (planted) =>
    withCopy(async (copy) => {
      if (patch(planted) === undefined) return say(planted, false, `does not apply to ${planted.file} any more`);
      const judgements = await judgeTogether([planted], (bugs, suspects) => copy.quick(planted, bugs, suspects));
      tellUnsteady(judgements);
      const { good, what } = inWords(/** @type {Judgement} */ (judgements.get(planted)));
      if (!good) return say(planted, good, what);
      left.push(planted);
      process.stdout.write(`  ${planted.name}: the quick specs let it pass, ${left.length} so far\n`);
    }),
  );
  const bundles = bundlesOf(left, BUNDLE, (bundle) => patchAll(bundle) !== undefined);
  await inParallel(bundles, copies.length, (bundle) =>
    withCopy(async (copy) => {
      process.stdout.write(`  specs of services on ${bundle.map(({ name }) => name).join(', ')}\n`);
      const judgements = await judgeTogether(bundle, (bugs, suspects) => copy.services(bundle, bugs, suspects));
      tellUnsteady(judgements);
      for (const [planted, judgement] of judgements) {
        const { good, what } = inWords(judgement);
        say(planted, good, what);
      }
    }),
  );
};

/** What failed once counts for nothing, but is no secret. @param {ReadonlyMap<Planted, Judgement>} judgements */
const tellUnsteady = (judgements) => {
  const unsteady = new Set([...judgements.values()].flatMap((judgement) => judgement.unsteady));
  for (const spec of unsteady) process.stdout.write(`  failed once, and then passed with the same bugs: ${spec}\n`);
};

/** A copy of the checkout in which specs are run. */
class Copy {
  #runs = 0;

  /** @param {string} name @param {readonly string[]} packages */
  constructor(name, packages) {
    this.name = name;
    this.packages = packages;
    this.root = copyOfCheckout(name, packages);
    /** @type {Set<string>} */
    this.changed = new Set();
  }

  /** @param {Planted} about @param {readonly Planted[]} bugs @param {readonly string[]} [suspects] @returns {Promise<Ran>} */
  quick(about, bugs, suspects) {
    const related = ['related', '--run', join(this.root, about.file)];
    return this.#run('unit', bugs, suspects === undefined ? related : ['run', ...argumentsFor(suspects)]);
  }

  /** @param {readonly Planted[]} about @param {readonly Planted[]} bugs @param {readonly string[]} [suspects] @returns {Promise<Ran>} */
  services(about, bugs, suspects) {
    const touched = about.flatMap(({ file }) => this.packages.filter((folder) => file.startsWith(`${folder}/`)));
    const folders = [...new Set([...touched, APPLICATION])].map((folder) => `${folder}/src/`);
    const all = [...folders, '--fileParallelism', '--maxWorkers', String(SERVICES_AT_ONCE)];
    const alone = suspects && [...argumentsFor(suspects), '--no-file-parallelism'];
    return this.#run('service', bugs, ['run', ...(alone ?? all)]);
  }

  /** @param {'unit' | 'service'} project @param {readonly Planted[]} bugs @param {readonly string[]} wish @returns {Promise<Ran>} */
  async #run(project, bugs, wish) {
    this.#plant(bugs);
    const name = `planted-${this.name}-${(this.#runs += 1)}-${project}`;
    const report = join(this.root, `${name}.json`);
    const args = [...wish, '--root', this.root, '--project', project, '--retry', '0', '--reporter', 'default', '--reporter', 'json'];
    const { status, log } = await run(join(BIN, 'vitest'), [...args, '--outputFile.json', report], {
      log: `${name}.log`,
      env: toolEnvironment(),
      cwd: this.root,
      limitMs: LIMIT_MS,
    });
    if (!existsSync(report)) return { passed: false, failed: [], log: relative(ROOT, log) };
    const said = JSON.parse(readFileSync(report, 'utf8'));
    return { passed: status === 0 && hasRun(said, wish), failed: failedSpecs(said, this.root), log: relative(ROOT, log) };
  }

  /** These and no others; as source for what a spec imports, and compiled for the processes that it starts. @param {readonly Planted[]} bugs */
  #plant(bugs) {
    const texts = patchAll(bugs) ?? new Map();
    for (const file of new Set([...this.changed, ...texts.keys()])) {
      const text = texts.get(file) ?? readFileSync(join(ROOT, file), 'utf8');
      writeFileSync(join(this.root, file), text);
      putBuilt(this.root, file, text);
    }
    this.changed = new Set(texts.keys());
  }
}

/** Folders of packages. @returns {readonly string[]} */
const packagesOf = () =>
  ['apps', 'libs', 'libs/adapters']
    .flatMap((parent) => readdirSync(join(ROOT, parent)).map((name) => `${parent}/${name}`))
    .filter((folder) => existsSync(join(ROOT, folder, 'package.json')));

/** @param {string} name @param {readonly string[]} packages */
const copyOfCheckout = (name, packages) => {
  const root = freshFolder(name);
  const keep = (/** @type {string} */ path) => !LEFT_OUT.test(relative(ROOT, path)) && !NOT_ORDINARY.test(relative(ROOT, path));
  for (const entry of readdirSync(ROOT).filter((one) => keep(join(ROOT, one))))
    cpSync(join(ROOT, entry), join(root, entry), { recursive: true, filter: keep });
  linkPackages(root, packages);
  return root;
};
