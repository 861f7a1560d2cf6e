/**
 * `npm run bench`: runs every benchmark in turn and prints one table. Options: `--json FILE`, and parts of benchmarks' file names.
 * What a benchmark is, README.md says.
 */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { spawnSync } from 'node:child_process';
import { bootstrap } from '../lib/bootstrap.mjs';
import { BIN, toolEnvironment } from '../lib/paths.mjs';
import { Problem, runTool } from '../lib/problem.mjs';
import { step } from '../lib/progress.mjs';
import { jsonOf, meetsGoal, tableOf } from './figures.mjs';

/** @typedef {import('./figures.mjs').Figure} Figure */
/** @typedef {import('./figures.mjs').Benchmark} Benchmark */

const HERE = fileURLToPath(new URL('.', import.meta.url));
const NODE_MAJOR = 24;

await runTool(async () => {
  const { values, positionals } = parseArgs({ options: { json: { type: 'string' } }, allowPositionals: true });
  const { worker } = await bootstrap();
  // Benchmarks import what was built, which wants Node 24; whoever typed the command may have another.
  if (Number(process.versions.node.split('.')[0]) !== NODE_MAJOR) return underNode24();
  const files = readdirSync(HERE)
    .filter((file) => /\.bench\.(mjs|ts)$/.test(file))
    .filter((file) => positionals.length === 0 || positionals.some((part) => file.includes(part)))
    .sort();
  if (files.length === 0) throw new Problem('There is no such benchmark.', 'They are the *.bench.mjs and *.bench.ts files in tools/bench.');
  /** @type {Figure[]} */
  const figures = [];
  let failed = 0;
  for (const file of files) {
    try {
      figures.push(...(await measure(file, worker)));
    } catch (error) {
      failed += 1;
      process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    }
  }
  process.stdout.write(`\n${tableOf(figures)}\n`);
  if (values.json) writeFileSync(values.json, `${JSON.stringify(jsonOf(figures), null, 2)}\n`);
  return failed > 0 || figures.some((figure) => meetsGoal(figure) === false) ? 1 : 0;
});

/** @param {string} file @param {string} worker @returns {Promise<readonly Figure[]>} */
async function measure(file, worker) {
  /** @type {Benchmark} */
  const { title, seconds, run } = await import(pathToFileURL(join(HERE, file)).href);
  return step(`${title} (about ${seconds} s)`, (note) => run({ worker, note }));
}

/** @returns {number} its exit status */
function underNode24() {
  const again = spawnSync(join(BIN, 'node'), process.argv.slice(1), { stdio: 'inherit', env: toolEnvironment() });
  return again.status ?? 1;
}
